"""In which order the rows of a log are taken, and which of them are of one user and item."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import Log

Rows = npt.NDArray[np.int64]
"""int64[m]: rows of a log"""
RANDOM, SOURCE = "random", "source"
TIES = {RANDOM: "drawn by the split seed", SOURCE: "as in the source"}
"""The order of a user's interactions at one time, where protocols ask for the last ones, in words"""


def by_user(log: Log) -> Rows:
    """All rows by user, then time; what has the same time, or none, in the order of the source.

    Where the source has lost that order, by item code: files that differ in it alone are one dataset.
    """
    if log.by_user is not None:  # They stand so.
        return np.arange(len(log.user))
    ties = () if log.ordered else (log.item,)
    times = () if log.moment is None else (log.moment,)
    return np.lexsort((*ties, *times, log.user))


def distinct(log: Log, rows: Rows) -> Rows:
    """`rows` without the repetitions of a (user, item) pair; the first of each stays, in place."""
    first = np.unique(pairs_of(log, rows), return_index=True)[1]
    return rows if len(first) == len(rows) else rows[np.sort(first)]


def pairs_of(log: Log, rows: Rows) -> npt.NDArray[np.int64]:
    """int64[m]: a number for the user and item of each row."""
    return log.user[rows].astype(np.int64) * len(log.item_ids) + log.item[rows]


def asked(log: Log, rows: Rows) -> Rows:
    """Those of `rows` that may be relevant: of target events, where there are any."""
    return rows if log.target is None else rows[log.target[rows]]


def targeted(log: Log, rows: Rows, known: Rows) -> npt.NDArray[np.bool_]:
    """bool[m]: whether the pair of each of `rows` may be relevant, by a target event among `known`."""
    if log.target is None:
        return np.ones(len(rows), dtype=np.bool_)
    return same_pairs(log, rows, asked(log, known))


def same_pairs(log: Log, rows: Rows, others: Rows) -> npt.NDArray[np.bool_]:
    """bool[m]: whether one of `others` has the user and item of each of `rows`."""
    return np.isin(pairs_of(log, rows), pairs_of(log, others))
