"""How settings came about: by default, by hand, by a search, or on a command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.storage import typed

WAYS = {
    "defaults": "defaults",
    "hand": "manual",
    "tuning": "tuned",
    "budget": "budget",
    "command line": "CLI override",
    "warm start": "warm start",
    "lists": "lists from elsewhere",
}
"""Key of `Provenance.by` → how a page has it"""
OFFICIAL = ("defaults", "budget")


@dataclass(frozen=True)
class Provenance:
    """How settings came about."""

    by: str = "defaults"
    """A key of WAYS"""
    trials: int = 0
    """Settings tried on the validation part, these among them"""
    at_least: bool = False
    """Whether some of them have no record, so that there may have been more"""
    different: int = 0
    """How many different ones, where some came up again; 0 where that is not known"""
    pruned: int = 0
    """How many trials are known to have been pruned"""
    valid_ndcg: float | None = None
    """NDCG@20 on the validation queries"""
    minutes: float | None = None
    """What all trials took"""
    cap_minutes: float | None = None
    """The time limit of the search"""
    threads: int | None = None
    """Of the search"""
    date: str = ""
    note: str = ""
    fingerprint: str = ""
    """Of the data they were tuned on; "" where that is not noted"""
    other_data: bool = False
    """Whether that is other data than what they are used on"""

    @property
    def by_command(self) -> bool:
        """Whether they were set for a run: perhaps after a look at the test results."""
        return self.by == "command line"

    @property
    def official(self) -> bool:
        """Whether a procedure that is the same for all models led to them: their defaults, or one budget of
        time on the same data.
        """
        return self.by in OFFICIAL and not self.other_data

    def beside(self, other: Provenance) -> Provenance:
        """Which of the two a run has that both led to: the official one, the search before the defaults, and
        a CLI override last; of equals `self`.
        """
        order = ("command line", "", *OFFICIAL)
        return max(
            self, other, key=lambda each: (each.official, order.index(each.by if each.by in order else ""))
        )

    @property
    def way(self) -> str:
        """What tells it from other ways in a word or two, a budget with its size."""
        if self.by == "budget" and self.cap_minutes is not None:
            return f"budget {duration(self.cap_minutes)}"
        return WAYS[self.by]

    @property
    def counted(self) -> str:
        """The number of trials in words."""
        plural = "" if self.trials == 1 else "s"
        return f"{'at least ' if self.at_least else ''}{self.trials} trial{plural}"

    @property
    def brief(self) -> str:
        """A few words for a table."""
        counted = self.counted if self.trials or self.by == "budget" else ""
        return ", ".join(filter(None, (self.way, counted, "other data" if self.other_data else "")))

    def summary(self) -> str:
        """All of it in one line."""
        parts = [self.way]
        if self.trials:
            repeated = 0 < self.different < self.trials
            parts.append(self.counted + (f" of {self.different} settings" if repeated else ""))
        if self.pruned:
            parts.append(f"{self.pruned} of them pruned")
        if self.valid_ndcg is not None:
            parts.append(f"validation NDCG@20 {self.valid_ndcg:.4f}")
        if self.minutes is not None:
            cap = "" if self.cap_minutes is None else f" (limit {self.cap_minutes:g})"
            cap = " used" if self.by == "budget" else cap
            threads = "" if self.threads is None else f", threads {self.threads}"
            parts.append(f"{self.minutes:.1f} min{cap}{threads}")
        other = "tuned on other data" if self.other_data else ""
        return ", ".join([*parts, *filter(None, (self.date, self.note, other))])

    def as_dict(self) -> dict[str, Any]:
        """What is not as by default, as JSON."""
        default = asdict(Provenance(by=""))
        return {key: value for key, value in asdict(self).items() if value != default[key]}


def duration(minutes: float) -> str:
    """As pages have it: 45 min, or 25 s."""
    return f"{minutes:g} min" if minutes >= 1 else f"{minutes * 60:g} s"


DEFAULTS = Provenance()
KEYS = [field.name for field in fields(Provenance) if field.name != "other_data"]
"""What a config may say"""


def parse(entry: Mapping[str, Any], where: str) -> Provenance:
    """As `Provenance.as_dict` or a user wrote it; by hand where it does not say.

    Raises:
        InputError: it says what cannot be; `where` begins the sentence.
    """
    given = {"by": "hand"} | dict(entry)
    if "date" in given:
        given["date"] = str(given["date"])  # YAML makes a date of it.
    for key in given:
        if key not in KEYS:
            raise unknown(f"key of {where}", key, KEYS)
    try:
        found = typed.parse(Provenance, given)
    except typed.MisfitError as error:
        key = str(error)
        kind = Provenance.__annotations__[key]
        raise InputError(f"{where}.{key}: {given[key]} is not what belongs there, which is {kind}") from error
    if found.by not in WAYS:
        raise unknown(f"value of {where}.by", found.by, WAYS)
    return found
