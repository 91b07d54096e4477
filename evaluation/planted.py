"""A tiny dataset with a known best answer, for checking models and for warming them up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions, Queries
from retrieval_leaderboard.datasets.features import Categorical, Features
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of

BLOCKS, USERS_A_BLOCK, ITEMS_A_BLOCK = 4, 12, 8


def planted(turned: int = 0, absent: int = 0) -> Dataset:
    """Users who take the items of their block, all but two: one to choose on, one to test on.

    A perfect model puts the test item first: it is the only unseen item of the user's block.

    Args:
        turned: user u does what user u + `turned` does otherwise.
        absent: so many users, from code 0 on, have no interactions but those that are asked for.
    """
    n_users, n_items = BLOCKS * USERS_A_BLOCK, BLOCKS * ITEMS_A_BLOCK
    user = (np.arange(n_users) + turned) % n_users
    position = (user[:, None] // BLOCKS + np.arange(ITEMS_A_BLOCK)) % ITEMS_A_BLOCK  # (users, order)
    item = (position * BLOCKS + user[:, None] % BLOCKS).astype(np.int32)
    train = _interactions(item[:, :-2], user, n_items, absent)
    train_valid = _interactions(item[:, :-1], user, n_items, absent)
    return Dataset(
        name="planted",
        protocol="leave-last-one",
        exclude_seen=True,
        split_seed=0,
        train=train,
        valid=_queries(train, item[:, -2]),
        train_valid=train_valid,
        test=_queries(train_valid, item[:, -1]),
        user_ids=np.arange(n_users).astype(str).astype(object),
        item_ids=np.arange(n_items).astype(str).astype(object),
        synthetic=True,
    )


def weighted(data: Dataset) -> Dataset:
    """`data` whose interactions weigh 1, 2 or 3."""
    train, train_valid = (
        replace(each, weight=(1 + each.item % 3).astype(np.float32))
        for each in (data.train, data.train_valid)
    )
    return replace(data, train=train, train_valid=train_valid)


def _interactions(items: np.ndarray, user: np.ndarray, n_items: int, absent: int) -> Interactions:
    n_users, length = items.shape
    return Interactions(
        user=np.repeat(np.arange(absent, n_users, dtype=np.int32), length),
        item=np.ascontiguousarray(items[absent:]).ravel(),
        timestamp=np.tile(np.arange(length, dtype=np.int64), n_users - absent),
        n_users=n_users,
        n_items=n_items,
        user_features=_block_feature(user),
        item_features=_block_feature(np.arange(n_items)),
    )


def _block_feature(ids: np.ndarray) -> Features:
    names = ["unknown", *(f"block {block}" for block in range(BLOCKS))]
    return Features({"block": Categorical((ids % BLOCKS + 1).astype(np.int32), names)})


def _queries(seen: Interactions, truth: np.ndarray) -> Queries:
    lengths = np.ones(len(truth), dtype=np.int64)
    return Queries(
        user=np.arange(len(truth), dtype=np.int32),
        history=seen.by_user,
        exclude=seen.by_user,
        relevant=Ragged.from_offsets(truth.astype(np.int32), offsets_of(lengths)),
        timestamp=np.full(len(truth), ITEMS_A_BLOCK, dtype=np.int64),
    )
