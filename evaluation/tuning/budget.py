"""What the search of one model may take."""

from __future__ import annotations

import re
from dataclasses import dataclass

from retrieval_leaderboard.support.errors import InputError

UNITS = {"h": 60.0, "m": 1.0, "s": 1 / 60}
"""Letter → minutes"""


@dataclass(frozen=True)
class Budget:
    """Time, or as much as that many fits."""

    minutes: float | None = None
    fits: int | None = None

    @property
    def timed(self) -> bool:
        """Whether it is one of time."""
        return self.minutes is not None

    def share(self, seconds: float, fits: float) -> float:
        """How much of it a trial takes; `fits` is its length of training, in those of the model's own."""
        return _ratio(fits, self.fits or 0) if self.minutes is None else _ratio(seconds / 60, self.minutes)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("inf")


def minutes(text: str) -> float:
    """Of a duration such as 45m, 2h, 1h30m or 90s.

    Raises:
        InputError: it is none.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    found = sum(float(number) * UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not found:
        raise InputError(f"'{text}' is no duration: give it as 45m, 2h, 1h30m or 90s")
    return found
