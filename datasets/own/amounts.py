"""Values of options that are amounts: weights of events, durations, moments, and counts."""

from __future__ import annotations

import datetime
import re
from typing import Any

from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.support.errors import InputError, unknown

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST = 200 * 365 * 86_400
"""Seconds, whose nanoseconds 64 bits hold"""
"""Unit of a duration → its seconds"""
LARGEST = 1e30
"""Weights above would overflow where float32 sums them"""


def weights(value: Any, where: str) -> dict[str, float]:
    """Event → its weight, as a mapping or as "view=1,buy=5"."""
    return {name: positive(each, f"{where}, {name}") for name, each in values.pairs(value, where).items()}


def positive(value: Any, where: str) -> float:
    """A number above 0 that float32 holds."""
    found = values.number(value, where)
    if not 1 / LARGEST <= found <= LARGEST:
        raise InputError(f"{where}: {value} is no weight; give a number above 0, or leave it out")
    return found


def count(value: Any, where: str) -> int:
    """A whole number of 1 or more."""
    found = values.number(value, where)
    if found < 1 or found % 1:
        raise InputError(f"{where}: {value} is no number of 1, 2, 3, …; give one, or leave it out")
    return int(found)


def names(value: Any, where: str) -> tuple[str, ...]:
    """Names, as a list or as "cart,buy"."""
    found = values.texts(value.split(",") if isinstance(value, str) else value, where)
    trimmed = tuple(each.strip() for each in found)
    if not all(trimmed):
        raise InputError(f"{where} '{value}': a name is empty; give it as NAME,NAME")
    return tuple(dict.fromkeys(trimmed))


def duration(value: Any, where: str) -> float:
    """Seconds, of a number of them or of text such as "30m"."""
    found = re.fullmatch(rf"\s*([0-9]+(?:\.[0-9]+)?)\s*([{''.join(UNITS)}]?)\s*", str(value))
    seconds = float(found[1]) * UNITS[found[2] or "s"] if found else value
    if not isinstance(seconds, float) or not 0 < seconds <= LONGEST:
        raise InputError(
            f"{where}: {value!r} is no duration; give one such as 30m, of s, m, h, d or w, up to 200 years"
        )
    return seconds


def moment(value: Any, where: str) -> str:
    """The text of a moment, which is read as the data's own times are; YAML has dates of its own."""
    return value.isoformat() if isinstance(value, datetime.date) else values.text(value, where)


def one_of(*choices: str) -> values.Parse:
    """One of `choices`."""

    def parse(value: Any, where: str) -> str:
        if value not in choices:
            raise InputError(f"{where}: {unknown('way', value, choices)}")
        return str(value)

    return parse
