"""In which order the rows of a log are taken, and which of them repeat others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import Log

Rows = npt.NDArray[np.int64]
"""int64[m]: rows of a log"""


def by_user(log: Log) -> Rows:
    """All rows by user, then time; what has the same time, or none, in the order of the source.

    Where the source has lost the order, by item code: files that differ in it alone are one dataset.
    """
    if log.by_user is not None:  # They stand so.
        return np.arange(len(log.user))
    if not log.ordered:
        return np.lexsort((log.item, log.user))
    if log.moment is None:
        return np.argsort(log.user, kind="stable")
    return np.lexsort((log.moment, log.user))


def distinct(log: Log, rows: Rows) -> Rows:
    """`rows` without the repetitions of a (user, item) pair; the first of each stays, in place."""
    pair = log.user[rows].astype(np.int64) * len(log.item_ids) + log.item[rows]
    first = np.unique(pair, return_index=True)[1]
    return rows if len(first) == len(rows) else rows[np.sort(first)]
