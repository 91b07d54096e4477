"""Sums over the users that two items share, to which later users are added without the others anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, index_type, offsets_of
from retrieval_leaderboard.evaluation.models.earlier import Earlier
from retrieval_leaderboard.evaluation.ranking.item_neighbors import activity, roots_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Users = npt.NDArray[np.bool_]
PAIR_BYTES = 48
"""Of a pair of items, while sums of then and of today are added"""


def updated(
    earlier: Earlier[Any], train: Interactions, sums: Callable[[Interactions, Users | None], csr_array]
) -> csr_array:
    """float64[n_items, n_items]: the sums of `train`, from those of then and the users who changed since.

    They are computed of all users where the model of then has none, and where interactions are gone.

    Args:
        earlier: the fit of then, of a model that keeps such sums as `pair_sums_`, or None.
        train: what is to be learned from.
        sums: interactions, and whose of them, bool[n_users], or None for all → float64[n_items, n_items]: the
            part of the sums in which at least one of these users takes part.
    """
    kept = earlier.model.pair_sums_
    if kept is None or (changes := earlier.changes(train)).gone:
        return sums(train, None)
    # What is added has far fewer entries than what is kept, which so is gone through once.
    added = sums(train, changes.users) - sums(earlier.train, changes.users)
    return _recoded(kept, earlier, train.n_items) + added


def _recoded(sums: csr_array, earlier: Earlier[Any], n_items: int) -> csr_array:
    """`sums` under today's codes, with room for new items."""
    from scipy.sparse import csr_array

    known = earlier.item >= 0
    rows = sums[earlier.item[known]]
    lengths = np.zeros(n_items, np.int64)
    lengths[known] = np.diff(rows.indptr)
    content = rows.data, earlier.item_now[rows.indices], offsets_of(lengths)
    return csr_array(content, shape=(n_items, n_items))


def shared(train: Interactions, weights: npt.NDArray[np.float64], users: Users | None) -> csr_array:
    """float64[n_items, n_items]: the sum of w_u √(w_ui w_uj) over the users of both items, as `updated` asks.

    Args:
        train: the interactions, w_ui their weights.
        weights: float64[n_users], w_u.
        users: bool[n_users], whose part is wanted; None for all.
    """
    from scipy.sparse import csr_array

    items, offsets = train.by_user.compact()
    _, roots = roots_of(train)
    values = np.ones(len(items)) if roots is None else roots.astype(np.float64)
    taken = csr_array((values, items, offsets), shape=(train.n_users, train.n_items))
    some = slice(None) if users is None else np.flatnonzero(users)
    taken = taken[some]
    return (taken.T @ taken.multiply(weights[some, None])).tocsr()


def bytes_needed(train: Interactions) -> int:
    """Of the sums of all pairs of items that a user took, while they are brought up to date."""
    pairs = min(float(activity(train).sum()), train.n_items**2)
    return int(PAIR_BYTES * pairs)


def with_users_first(train: Interactions, users: Users) -> Interactions:
    """`train` under other codes of users: `users`, bool[n_users], have the first ones. Without times."""
    order = np.argsort(~users, kind="stable")
    every = np.arange(len(train), dtype=index_type(len(train)))
    places = Ragged.from_offsets(every, offsets_of(train.user_counts)).take(order)
    rows, _ = places.compact()
    weight = None if train.weight is None else train.weight[rows]
    user = places.rows().astype(np.int32)
    return Interactions(
        user, train.item[rows], None, train.n_users, train.n_items, train.ordered, weight=weight
    )
