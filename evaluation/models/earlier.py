"""An earlier fit, told in the codes of today's data: what a warm start goes on from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions
from retrieval_leaderboard.datasets.ids import places
from retrieval_leaderboard.datasets.sources.source import IN_TIME

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
    then: Interactions
    """All that it learned from, in the codes of then"""

    @classmethod
    def of(cls, model: Model, then: Dataset, now: Dataset) -> Self:
        """Of a model that learned from `then.train_valid`; codes are matched by raw ids."""
        user, item = places(now.user_ids, then.user_ids), places(now.item_ids, then.item_ids)
        user_now, item_now = _inverse(user, len(then.user_ids)), _inverse(item, len(then.item_ids))
        train = _recoded(then.train_valid, user_now, item_now, len(user), len(item))
        return cls(model, user, item, item_now, train, then.train_valid)

    def changes(self, train: Interactions) -> Changes:
        """What `train` has that there was not then, and the other way round."""
        taken = _by_pair(train) - _by_pair(self.train)
        differs = taken
        if train.weight is not None or self.train.weight is not None:
            differs = _by_pair(train, train.weight) - _by_pair(self.train, self.train.weight)
        new, gone = (int(np.count_nonzero(taken.data == each)) for each in (1, -1))
        return Changes(abs(differs).sum(axis=1) > 0, new, gone + len(self.then) - len(self.train))

    def held_out(self, now: Dataset) -> int:
        """How many interactions of the test part of `now`, not of its training part too, it learned from.

        Where data is divided by time, one before the moment of its query is another than the one held out.
        """
        test, train = now.test, now.train_valid
        items, offsets = test.relevant.compact()
        query = np.repeat(np.arange(len(test)), np.diff(offsets))
        asked = _pairs(test.user[query], items, now)
        taken = _pairs(self.train.user, self.train.item, now)
        order = np.argsort(taken)
        place = order[np.searchsorted(taken, asked, sorter=order).clip(max=len(taken) - 1)]
        found = (taken[place] == asked) & ~np.isin(asked, _pairs(train.user, train.item, now))
        if now.protocol in IN_TIME and self.train.timestamp is not None and test.timestamp is not None:
            found &= self.train.timestamp[place] >= test.timestamp[query]
        return int(found.sum())


@dataclass(frozen=True)
class Changes:
    """How interactions of today differ from those of then."""

    users: npt.NDArray[np.bool_]
    """bool[n_users]: who took other items, or with other weights"""
    new: int
    """Interactions that there were not then"""
    gone: int
    """Interactions of then that are no more"""


def _inverse(codes: Codes, n: int) -> Codes:
    """int32[n]: the place in `codes`, each of which from 0 to n - 1 stands there once or not, -1 if not."""
    found = np.full(n, -1, np.int32)
    known = np.flatnonzero(codes >= 0)
    found[codes[known]] = known
    return found


def _recoded(train: Interactions, user: Codes, item: Codes, n_users: int, n_items: int) -> Interactions:
    """`train` under other codes, without rows whose code is -1, and without features."""
    users, items = user[train.user], item[train.item]
    kept = np.flatnonzero((users >= 0) & (items >= 0))
    rows = kept[np.argsort(users[kept], kind="stable")]
    bare = replace(train, user_features=None, item_features=None, context=None)
    return replace(bare.take(rows), user=users[rows], item=items[rows], n_users=n_users, n_items=n_items)


def _pairs(user: Codes, item: Codes, data: Dataset) -> npt.NDArray[np.int64]:
    """int64[n]: a number for each user with an item."""
    return user.astype(np.int64) * len(data.item_ids) + item


def _by_pair(train: Interactions, numbers: npt.NDArray[np.float32] | None = None) -> csr_array:
    """float32[n_users, n_items]: `numbers` of the interactions, 1 for each without them."""
    from scipy.sparse import csr_array

    values, offsets = train.by_user.compact()
    numbers = np.ones(len(values), np.float32) if numbers is None else numbers
    return csr_array((numbers, values, offsets), shape=(train.n_users, train.n_items))
