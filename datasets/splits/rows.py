"""From rows of a log to interactions and queries: what several protocols do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.log import SUM, Log
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.datasets.splits import holdout
from retrieval_leaderboard.datasets.splits.protocol import Parts

Rows = npt.NDArray[np.int64]
"""int64[m]: rows of a log"""
HoldOut = Callable[[npt.NDArray[np.int32], int, np.random.Generator], npt.NDArray[np.bool_]]
"""As `holdout.draw`"""


def by_user(log: Log) -> Rows:
    """All rows by user, then time; what has the same time, or none, in the order of the source.

    Where the source has lost that order, by item code: files that differ in it alone are one dataset.
    """
    ties = () if log.ordered else (log.item,)
    times = () if log.moment is None else (log.moment,)
    return np.lexsort((*ties, *times, log.user))


def distinct(log: Log, rows: Rows) -> Rows:
    """`rows` without the repetitions of a (user, item) pair; the first of each stays, in place."""
    first = np.unique(_pairs(log, rows), return_index=True)[1]
    return rows if len(first) == len(rows) else rows[np.sort(first)]


def _pairs(log: Log, rows: Rows) -> npt.NDArray[np.int64]:
    """int64[m]: a number for the user and item of each row."""
    return log.user[rows].astype(np.int64) * len(log.item_ids) + log.item[rows]


def asked(log: Log, rows: Rows) -> Rows:
    """Those of `rows` that may be relevant: of target events, where there are any."""
    return rows if log.target is None else rows[log.target[rows]]


def weights(log: Log, rows: Rows, known: Rows) -> npt.NDArray[np.float32] | None:
    """float32[m]: what each pair of `rows` weighs; None where all rows and pairs count alike.

    The largest weight of the pair's rows among `known`, or by `Log.repeats` the sum of them, each 1 where
    rows have no weights; no more than `Log.weight_cap`.
    """
    if log.weight is None and log.repeats != SUM:
        return None
    pairs, place = np.unique(_pairs(log, known), return_inverse=True)
    each = np.ones(len(known), np.float32) if log.weight is None else log.weight[known]
    found = np.zeros(len(pairs))
    (np.add if log.repeats == SUM else np.maximum).at(found, place, each)
    found = np.minimum(found, np.inf if log.weight_cap is None else log.weight_cap)
    return found[np.searchsorted(pairs, _pairs(log, rows))].astype(np.float32)


def targeted(log: Log, rows: Rows, known: Rows) -> npt.NDArray[np.bool_]:
    """bool[m]: whether the pair of each of `rows` may be relevant, by a target event among `known`."""
    if log.target is None:
        return np.ones(len(rows), dtype=np.bool_)
    return same_pairs(log, rows, asked(log, known))


def same_pairs(log: Log, rows: Rows, others: Rows) -> npt.NDArray[np.bool_]:
    """bool[m]: whether one of `others` has the user and item of each of `rows`."""
    return np.isin(_pairs(log, rows), _pairs(log, others))


def draw(
    log: Log, rows: Rows, known: Rows, hold_out: HoldOut, percent: int, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """bool[m]: what `hold_out` takes of each user's `targeted` pairs; `rows` are sorted by user."""
    able = np.flatnonzero(targeted(log, rows, known))
    drawn = np.zeros(len(rows), dtype=np.bool_)
    drawn[able] = hold_out(log.user[rows[able]], percent, rng)
    return drawn


def repeats_note(log: Log, count: int) -> tuple[str, ...]:
    """What is noted of so many repetitions."""
    if not count:
        return ()
    summed = f"{count:,} repeated interactions count in the weight of their pair"
    return (summed if log.repeats == SUM else f"{count:,} duplicate interactions dropped from training",)


def interactions(log: Log, rows: Rows, known: Rows) -> Interactions:
    """The table of `rows`, which are sorted by user and hold no pair twice.

    Their weights are those of the pairs' rows among `known`, all that may be learned from.
    """
    return Interactions(
        log.user[rows],
        log.item[rows],
        n_users=len(log.user_ids),
        n_items=len(log.item_ids),
        ordered=log.ordered or log.moment is not None,
        user_features=log.user_features,
        item_features=log.item_features,
        weight=weights(log, rows, known),
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
    carved = draw(log, rows, train_valid, hold_out, percent, rng)
    train, full = (interactions(log, each, train_valid) for each in (rows[~carved], rows))
    return Parts(
        train,
        queries_per_user(log, rows[carved], train.by_user, timed=timed),
        full,
        queries_per_user(log, distinct(log, asked(log, test)), full.by_user, timed=timed),
        repeats_note(log, len(train_valid) - len(rows)),
        carve,
    )
