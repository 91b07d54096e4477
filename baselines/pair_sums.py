"""Sums over the users that two items share, to which later users are added without the others anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.evaluation.models.earlier import Earlier

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Users = npt.NDArray[np.bool_]


def updated(
    earlier: Earlier[Any], train: Interactions, sums: Callable[[Interactions, Users | None], csr_array]
) -> csr_array:
    """float64[n_items, n_items]: the sums of `train`, from those of then and the users who changed since.

    They are computed of all users where the model of then has none, and where interactions are gone.

    Args:
        earlier: the fit of then, of a `Neighborhood`.
        train: what is to be learned from.
        sums: interactions, and whose of them, bool[n_users], or None for all → float64[n_items, n_items]: the
            part of the sums in which at least one of these users takes part.
    """
    kept = earlier.model.pair_sums_
    if kept is None or not earlier.grew_into(train):
        return sums(train, None)
    changed = earlier.changed(train)
    return (
        _recoded(kept, earlier.item_now, train.n_items) - sums(earlier.train, changed) + sums(train, changed)
    )


def _recoded(sums: csr_array, codes: npt.NDArray[np.int32], n_items: int) -> csr_array:
    """`sums` under today's codes, with room for new items."""
    from scipy.sparse import csr_array

    entries = sums.tocoo()
    row, column = codes[entries.coords[0]], codes[entries.coords[1]]
    return csr_array((entries.data, (row, column)), shape=(n_items, n_items))


def with_users_first(train: Interactions, users: Users) -> Interactions:
    """`train` under other codes of users: `users`, bool[n_users], have the first ones. Without times."""
    order = np.argsort(~users, kind="stable")
    every = np.arange(len(train), dtype=np.int32)
    places = Ragged.from_offsets(every, offsets_of(train.user_counts)).take(order)
    rows, _ = places.compact()
    weight = None if train.weight is None else train.weight[rows]
    user = places.rows().astype(np.int32)
    return Interactions(user, train.item[rows], None, train.n_users, train.n_items, weight=weight)
