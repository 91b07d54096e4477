"""From rows of a log to interactions and queries: what several protocols do."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.datasets.splits import holdout
from retrieval_leaderboard.datasets.splits.order import Rows, distinct
from retrieval_leaderboard.datasets.splits.protocol import Parts


def duplicates(count: int) -> dict[str, int]:
    """What is noted of so many repetitions."""
    return {"{:,} duplicate interactions dropped from training": count} if count else {}


def interactions(log: Log, rows: Rows) -> Interactions:
    """The table of `rows`, which are sorted by user."""
    return Interactions(
        log.user[rows],
        log.item[rows],
        n_users=len(log.user_ids),
        n_items=len(log.item_ids),
        ordered=log.ordered,
        **when_and_where(log, rows),
    )


def queries_per_user(log: Log, rows: Rows, histories: Ragged, timed: bool) -> Queries:
    """A query for each user of `rows`, which are sorted by user, then time, and hold no pair twice.

    `timed` queries are asked when and where the user's first row happened; others have no moment.
    """
    start = np.flatnonzero(np.diff(log.user[rows], prepend=-1))
    user = log.user[rows[start]]
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
    carved = hold_out(log.user[rows], percent, rng, log.first_user)
    train, full = interactions(log, rows[~carved]), interactions(log, rows)
    return Parts(
        train,
        queries_per_user(log, rows[carved], train.by_user, timed=timed),
        full,
        queries_per_user(log, distinct(log, test), full.by_user, timed=timed),
        duplicates(len(train_valid) - len(rows)),
        carve,
    )
