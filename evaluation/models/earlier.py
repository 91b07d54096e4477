"""An earlier fit, told in the codes of today's data: what a warm start goes on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions
from retrieval_leaderboard.datasets.ids import places

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Model = TypeVar("Model")
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Earlier(Generic[Model]):
    """A fitted model, and what it learned from."""

    model: Model
    user: Codes
    """int32[n_users]: the code that each of today's users had then; -1 for a new one"""
    item: Codes
    """int32[n_items]: the same of items"""
    item_now: Codes
    """int32[n_items then]: today's code of each item of then; -1 for one that is gone"""
    train: Interactions
    """What it learned from, in today's codes, without users and items that there are none of today"""
    complete: bool
    """Whether nothing had to be left out of `train`"""

    @classmethod
    def of(cls, model: Model, then: Dataset, now: Dataset) -> Self:
        """Of a model that learned from `then.train_valid`; codes are matched by raw ids."""
        user, item = places(now.user_ids, then.user_ids), places(now.item_ids, then.item_ids)
        user_now, item_now = places(then.user_ids, now.user_ids), places(then.item_ids, now.item_ids)
        train = _recoded(then.train_valid, user_now, item_now, len(user), len(item))
        return cls(model, user, item, item_now, train, len(train) == len(then.train_valid))

    def changed(self, train: Interactions) -> npt.NDArray[np.bool_]:
        """bool[n_users]: who took other items, or with other weights, than in `train`."""
        then, now = _by_pair(self.train), _by_pair(train)
        found = abs(now - then)
        found.eliminate_zeros()
        return np.diff(found.indptr) > 0

    def grew_into(self, train: Interactions) -> bool:
        """Whether `train` has every interaction of then."""
        then, now = _by_pair(self.train), _by_pair(train)
        return self.complete and (then.astype(np.bool_) > now.astype(np.bool_)).nnz == 0


def _recoded(train: Interactions, user: Codes, item: Codes, n_users: int, n_items: int) -> Interactions:
    """`train` under other codes, without rows whose code is -1, and without features."""
    users, items = user[train.user], item[train.item]
    kept = np.flatnonzero((users >= 0) & (items >= 0))
    rows = kept[np.argsort(users[kept], kind="stable")]
    return Interactions(
        users[rows],
        items[rows],
        None if train.timestamp is None else train.timestamp[rows],
        n_users,
        n_items,
        train.ordered,
        weight=None if train.weight is None else train.weight[rows],
    )


def _by_pair(train: Interactions) -> csr_array:
    """float32[n_users, n_items]: the weight of each interaction, 1 without weights."""
    from scipy.sparse import csr_array

    values, offsets = train.by_user.compact()
    weight = np.ones(len(values), np.float32) if train.weight is None else train.weight
    return csr_array((weight, values, offsets), shape=(train.n_users, train.n_items))
