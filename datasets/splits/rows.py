"""From rows of a log to interactions and queries: what several protocols do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.datasets.splits import holdout
from retrieval_leaderboard.datasets.splits.protocol import Parts

Rows = npt.NDArray[np.int64]
"""int64[m]: rows of a log"""


def by_user(log: Log) -> Rows:
    """All rows by user, then time; what has the same time, or none, in the order of the source.

    Where the source has lost that order, by item code: files that differ in it alone are one dataset.
    """
    ties = () if log.ordered else (log.item,)
    times = () if log.moment is None else (log.moment,)
    return np.lexsort((*ties, *times, log.user))


def distinct(log: Log, rows: Rows) -> Rows:
    """`rows` without the repetitions of a (user, item) pair; the first of each stays, in place."""
    pair = log.user[rows].astype(np.int64) * len(log.item_ids) + log.item[rows]
    first = np.unique(pair, return_index=True)[1]
    return rows if len(first) == len(rows) else rows[np.sort(first)]


def duplicates_note(count: int) -> tuple[str, ...]:
    """What is noted of so many repetitions."""
    return (f"{count:,} duplicate interactions dropped from training",) if count else ()


def interactions(log: Log, rows: Rows) -> Interactions:
    """The table of `rows`, which are sorted by user."""
    return Interactions(
        log.user[rows],
        log.item[rows],
        n_users=len(log.user_ids),
        n_items=len(log.item_ids),
        ordered=log.ordered or log.moment is not None,
        user_features=log.user_features,
        item_features=log.item_features,
        **when_and_where(log, rows),
    )


def queries_per_user(log: Log, rows: Rows, histories: Ragged, timed: bool) -> Queries:
    """A query for each user of `rows`, which are sorted by user, then time, and hold no pair twice.

    `timed` queries are asked when and where the user's first row happened; others have no moment.
    """
    user, start = np.unique(log.user[rows], return_index=True)
    relevant = Ragged.from_offsets(log.item[rows], np.append(start, len(rows)))
    history = histories.take(user.astype(np.int64))
    moments = when_and_where(log, rows[start]) if timed else {}
    return Queries(user, history, Ragged.empty(len(user)), relevant, **moments)


def when_and_where(log: Log, rows: Rows) -> dict[str, Any]:
    """When and where each of `rows` happened, as `Interactions` and `Queries` call it."""
    return {
        "timestamp": None if log.timestamp is None else log.timestamp[rows],
        "context": None if log.context is None else log.context.take(rows),
    }


def static_parts(
    log: Log,
    train_valid: Rows,
    test: Rows,
    *,
    carve: str,
    percent: int,
    rng: np.random.Generator,
    timed: bool = False,
) -> Parts:
    """One query per user, its history the user's training row; both `Rows` sorted by user.

    `carve` takes `percent` of `train_valid` for validation; `timed` as for `queries_per_user`.
    """
    rows = distinct(log, train_valid)
    hold_out = holdout.contiguous_block if carve == holdout.BLOCK else holdout.draw
    carved = hold_out(log.user[rows], percent, rng)
    train, full = interactions(log, rows[~carved]), interactions(log, rows)
    return Parts(
        train,
        queries_per_user(log, rows[carved], train.by_user, timed=timed),
        full,
        queries_per_user(log, distinct(log, test), full.by_user, timed=timed),
        duplicates_note(len(train_valid) - len(rows)),
        carve,
    )
