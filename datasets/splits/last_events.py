"""Each user's last events as queries, one each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.datasets.splits.order import SOURCE, Rows, distinct
from retrieval_leaderboard.datasets.splits.periods import moments
from retrieval_leaderboard.datasets.splits.protocol import LIKED, Parts
from retrieval_leaderboard.datasets.splits.rows import (
    interactions,
    repeats_note,
    when_and_where,
)
from retrieval_leaderboard.datasets.splits.whole import Whole

Counts = npt.NDArray[np.int64]
"""int64[n_users]"""
Choose = Callable[[Counts, Counts], tuple[Counts, Counts]]
"""Each user's events, and those that can be asked for, all (with a target, target events) but the user's
first → how many of these are test, and how many of those before them validation"""

BACKWARD = (
    "{:,} interactions stand in the source behind a later one of their user: its order is not that of times"
)


def split(log: Log, choose: Choose, whole: Whole, liked_only: bool) -> Parts:
    """The last events of each user as queries: as many for test as `choose` says, and those before for valid.

    With a target, only target events are asked for. What comes after the first event of a part that is asked
    for is not learned from where that part is held out, whatever its event.

    Args:
        log: with times.
        choose: of each user.
        whole: what `log` is a part of; it says the order of ties.
        liked_only: whether an event must have a rating above `LIKED` to be one, where there are ratings.
    """
    ties = whole.order_of_ties(log)
    order = np.lexsort((ties, moments(log), log.user))
    user = log.user[order]
    events = np.bincount(log.user, minlength=len(log.user_ids))
    offsets = offsets_of(events)
    target = np.ones(len(order), dtype=np.bool_) if log.target is None else log.target[order]
    before = np.concatenate(([0], np.cumsum(target)))  # target events before each place
    after = before[offsets[user + 1]] - before[1:]  # 0 is a user's last target event
    first = np.zeros(len(order), dtype=np.bool_)
    first[offsets[:-1][events > 0]] = True
    n_test, n_valid = choose(events, np.bincount(user[target & ~first], minlength=len(events)))
    is_test = after < n_test[user]
    is_valid = ~is_test & (after < (n_test + n_valid)[user])
    liked = np.ones(len(order), dtype=bool)
    if liked_only and log.rating is not None:
        liked = log.rating[order] > LIKED
    known, learned = order[~is_test], order[~is_test & ~is_valid]
    rows = distinct(log, known)
    item = log.item[order]
    disliked = int((is_test & target & ~liked).sum())
    counted = repeats_note(log, len(known) - len(rows))
    if whole.log.ties == SOURCE and (back := _backward(ties[order], user)):
        counted |= {BACKWARD: back}
    if disliked:
        counted |= {"{:,} test interactions with a low rating are no queries": disliked}
    if unused := int((is_test & ~target).sum()):
        counted |= {"{:,} interactions from a user's first test query on are not learned from": unused}
    return Parts(
        interactions(log, distinct(log, learned), learned),
        _queries(log, order, item, np.flatnonzero(is_valid & target & liked), offsets),
        interactions(log, rows, known),
        _queries(log, order, item, np.flatnonzero(is_test & target & liked), offsets),
        counted,
    )


def _backward(row: npt.NDArray[np.integer], user: npt.NDArray[np.int32]) -> int:
    """How many rows of the source, sorted by user and time, stand there before the one that they follow."""
    return int(((np.diff(row) < 0) & (np.diff(user) == 0)).sum())


def _queries(
    log: Log, order: Rows, item: npt.NDArray[np.int32], at: Rows, offsets: npt.NDArray[np.int64]
) -> Queries:
    """A query for each position `at` of the log in `order`; all rows are views of `item`, in that order."""
    rows = order[at]
    user = log.user[rows]
    history = Ragged(item, offsets[user], at)
    relevant = Ragged(item, at, at + 1)
    return Queries(user, history, Ragged.empty(len(at)), relevant, **when_and_where(log, rows))
