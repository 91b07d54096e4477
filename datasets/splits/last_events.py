"""Each user's last events as queries, one each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.datasets.splits.order import Rows, distinct
from retrieval_leaderboard.datasets.splits.periods import moments
from retrieval_leaderboard.datasets.splits.protocol import LIKED, Parts
from retrieval_leaderboard.datasets.splits.rows import (
    duplicates,
    interactions,
    when_and_where,
)
from retrieval_leaderboard.datasets.splits.whole import Whole


def count(log: Log) -> npt.NDArray[np.int64]:
    """int64[n_users]: events of each user."""
    return np.bincount(log.user, minlength=len(log.user_ids))


def split(
    log: Log, n_test: npt.NDArray[np.int64], n_valid: npt.NDArray[np.int64], whole: Whole, liked_only: bool
) -> Parts:
    """The last `n_test` events of each user, and the `n_valid` before them, as queries; int64[n_users] each.

    Args:
        log: with times.
        n_test: of each user.
        n_valid: of each user.
        whole: what `log` is a part of; it says the order of equal times.
        liked_only: whether an event must have a rating above `LIKED` to be one, where there are ratings.
    """
    order = np.lexsort((whole.order_of_ties(log), moments(log), log.user))
    user = log.user[order]
    offsets = offsets_of(count(log))
    from_end = offsets[user + 1] - 1 - np.arange(len(order))  # 0 is a user's last event
    is_test = from_end < n_test[user]
    is_valid = ~is_test & (from_end < (n_test + n_valid)[user])
    liked = np.ones(len(order), dtype=bool)
    if liked_only and log.rating is not None:
        liked = log.rating[order] > LIKED
    rows = distinct(log, order[~is_test])
    learned = distinct(log, order[~is_test & ~is_valid])
    item = log.item[order]
    disliked = int((is_test & ~liked).sum())
    low = {"{:,} test interactions with a low rating are no queries": disliked} if disliked else {}
    return Parts(
        interactions(log, learned),
        _queries(log, order, item, np.flatnonzero(is_valid & liked), offsets),
        interactions(log, rows),
        _queries(log, order, item, np.flatnonzero(is_test & liked), offsets),
        duplicates(int((~is_test).sum()) - len(rows)) | low,
    )


def _queries(
    log: Log, order: Rows, item: npt.NDArray[np.int32], at: Rows, offsets: npt.NDArray[np.int64]
) -> Queries:
    """A query for each position `at` of the log in `order`; all rows are views of `item`, in that order."""
    rows = order[at]
    user = log.user[rows]
    history = Ragged(item, offsets[user], at)
    relevant = Ragged(item, at, at + 1)
    return Queries(user, history, Ragged.empty(len(at)), relevant, **when_and_where(log, rows))
