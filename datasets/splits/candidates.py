"""Which items a query may be answered with: the catalog of a protocol."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits.periods import moments, periods
from retrieval_leaderboard.support.errors import InputError

KNOWN_BEFORE = "every item with an interaction before the test period"
LISTED_TOO = "and every other that the source lists"
TAKEN = "every item with an interaction"
Items = npt.NDArray[np.bool_]
"""bool[n_items]"""


Catalog = tuple[Log, str, tuple[str, ...]]
"""A log with the items of the catalog alone; which those are, in words; and what is to be noted"""


def all_taken(log: Log) -> Catalog:
    """Every item with an interaction: for protocols with no moment before which something is known."""
    return log.with_items(_taken(log)), TAKEN, ()


def known_before_test(log: Log) -> Catalog:
    """Every item known when the test period begins: with an interaction before it, or listed by the source.

    An item that only the test period brings would be a candidate because it is true; it is none, and its
    interactions are left out. So is a list (`Log.listed`) that names no item but those with interactions, for
    it was made of the test period too.

    Raises:
        InputError: all times are equal, or nothing comes before the test period.
    """
    begin = periods(log)
    log = _without_own_list(log)
    known = known_at(log, begin[1])
    if not known.any():
        raise InputError(
            f"{log.name}, protocol 'time': nothing comes before the test period, for most rows share the "
            "first time; choose another protocol, such as random"
        )
    words = KNOWN_BEFORE if log.listed is None else f"{KNOWN_BEFORE}, {LISTED_TOO}"
    left_out = int((~known[log.item]).sum())
    note = (
        f"{left_out:,} test interactions with {int((~known).sum()):,} items that nobody knew before the test "
        "period are no truth"
    )
    return replace(log.with_items(known), periods=begin), words, (note,) if left_out else ()


def _without_own_list(log: Log) -> Log:
    """`log` without a list that names no item but those with interactions: it was made of them all."""
    if log.listed is None or (log.listed & ~_taken(log)).any():
        return log
    return replace(log, listed=None)


def _taken(log: Log) -> Items:
    """The items with an interaction."""
    return np.bincount(log.item, minlength=len(log.item_ids)) > 0


def known_at(log: Log, moment: int) -> Items:
    """The items with an interaction before `moment`, and those that the source lists."""
    known = np.zeros(len(log.item_ids), dtype=np.bool_) if log.listed is None else log.listed.copy()
    known[log.item[moments(log) < moment]] = True
    return known
