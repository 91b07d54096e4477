"""Which items a query may be answered with: the catalog of a protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits.periods import moments, periods
from retrieval_leaderboard.datasets.splits.whole import Items
from retrieval_leaderboard.support.errors import InputError

KNOWN_BEFORE = "every item with an interaction before the test period"
LISTED_TOO = "and every other that the source lists"
TAKEN = "every item with an interaction"


@dataclass(frozen=True)
class Catalog:
    """The items that may be returned."""

    log: Log
    """The log, its rows as they were, with what is known of these items alone"""
    kept: Items
    """Which items of the source they are"""
    words: str
    """The same in words"""
    notes: tuple[str, ...] = ()
    periods: tuple[int, int] | None = None
    """Moments at which the validation and the test period begin, where there are such"""
    known: Items | None = None
    """Those of the catalog that are known when the validation period begins, where there is one"""


def all_taken(log: Log) -> Catalog:
    """Every item with an interaction: for protocols with no moment before which something is known."""
    kept = _taken(log)
    return Catalog(log.with_catalog(kept), kept, TAKEN)


def known_before_test(log: Log) -> Catalog:
    """Every item known when the test period begins: with an interaction before it, or listed by the source.

    An item that only the test period brings would be a candidate because it is true; it is none, and its
    interactions are left out. So is a list (`Log.listed`) that names no item but those with interactions, for
    it was made of the test period too.

    Raises:
        InputError: all times are equal, or nothing comes before the test period.
    """
    begin = periods(log)
    log = without_own_list(log)
    known = known_at(log, begin[1])
    if not known.any():
        raise InputError(
            f"{log.name}, protocol 'time': nothing comes before the test period, for most rows share the "
            "first time; choose another protocol, such as random"
        )
    words = KNOWN_BEFORE if log.listed is None else f"{KNOWN_BEFORE}, {LISTED_TOO}"
    left_out = sum(int((~known[part.item]).sum()) for part in log.parts())
    note = (
        f"{left_out:,} test interactions with {int((~known).sum()):,} items that nobody knew before the test "
        "period are no truth"
    )
    notes = (note,) if left_out else ()
    return Catalog(log.with_catalog(known), known, words, notes, begin, known_at(log, begin[0])[known])


def without_own_list(log: Log) -> Log:
    """`log` without a list that names no item but those with interactions: it was made of them all."""
    if log.listed is None or (log.listed & ~_taken(log)).any():
        return log
    return replace(log, listed=None)


def _taken(log: Log) -> Items:
    """The items with an interaction."""
    taken = np.zeros(len(log.item_ids), dtype=np.bool_)
    for part in log.parts():
        taken[part.item] = True
    return taken


def known_at(log: Log, moment: int) -> Items:
    """The items with an interaction before `moment`, and those that the source lists."""
    known = np.zeros(len(log.item_ids), dtype=np.bool_) if log.listed is None else log.listed.copy()
    for part in log.parts():
        known[part.item[moments(part) < moment]] = True
    return known
