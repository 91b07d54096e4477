"""From rows of a log to interactions and queries: what several protocols do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.log import SUM, Log
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.datasets.splits import holdout
from retrieval_leaderboard.datasets.splits.order import Rows, asked, distinct, pairs_of, targeted
from retrieval_leaderboard.datasets.splits.protocol import Parts

# As text: NumPy loads its random numbers when they are named.
HoldOut: TypeAlias = "Callable[[npt.NDArray[np.int32], int, np.random.Generator, int], npt.NDArray[np.bool_]]"
"""As `holdout.draw`"""


def weights(log: Log, rows: Rows, known: Rows) -> npt.NDArray[np.float32] | None:
    """float32[m]: what each pair of `rows` weighs; None where all rows and pairs count alike.

    The largest weight of the pair's rows among `known`, or by `Log.repeats` the sum of them, each 1 where
    rows have no weights; no more than `Log.weight_cap`.
    """
    if log.weight is None and log.repeats != SUM:
        return None
    pairs, place = np.unique(pairs_of(log, known), return_inverse=True)
    each = np.ones(len(known), np.float32) if log.weight is None else log.weight[known]
    found = np.zeros(len(pairs))
    (np.add if log.repeats == SUM else np.maximum).at(found, place, each)
    found = np.minimum(found, np.inf if log.weight_cap is None else log.weight_cap)
    return found[np.searchsorted(pairs, pairs_of(log, rows))].astype(np.float32)


def last_times(log: Log, rows: Rows, known: Rows) -> npt.NDArray[np.int64] | None:
    """int64[m]: when each pair of `rows` is last among `known`, which are sorted by user, then time."""
    if log.timestamp is None or len(rows) == len(known):  # No pair stands twice among them.
        return None if log.timestamp is None else log.timestamp[rows]
    pairs = pairs_of(log, known)
    order = np.argsort(pairs, kind="stable")
    last = np.searchsorted(pairs[order], pairs_of(log, rows), side="right") - 1
    return log.timestamp[known[order[last]]]


def draw(
    log: Log, rows: Rows, known: Rows, hold_out: HoldOut, percent: int, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """bool[m]: what `hold_out` takes of each user's `targeted` pairs; `rows` are sorted by user."""
    able = np.flatnonzero(targeted(log, rows, known))
    drawn = np.zeros(len(rows), dtype=np.bool_)
    drawn[able] = hold_out(log.user[rows[able]], percent, rng, log.first_user)
    return drawn


def repeats_note(log: Log, count: int) -> dict[str, int]:
    """What is noted of so many repetitions."""
    summed = "{:,} repeated interactions count in the weight of their pair"
    words = summed if log.repeats == SUM else "{:,} duplicate interactions dropped from training"
    return {words: count} if count else {}


def interactions(log: Log, rows: Rows, known: Rows) -> Interactions:
    """The table of `rows`, which are sorted by user and hold no pair twice.

    Their weights are those of the pairs' rows among `known`, all that may be learned from. Rows without times
    are in order only where the source comes split and says so: a whole log may have been sorted by anything.
    """
    return Interactions(
        log.user[rows],
        log.item[rows],
        n_users=len(log.user_ids),
        n_items=len(log.item_ids),
        ordered=log.moment is not None or (log.ordered and log.part is not None),
        weight=weights(log, rows, known),
        last_timestamp=last_times(log, rows, known),
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
