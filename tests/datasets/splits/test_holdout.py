"""Whether the rows of a test file are contiguous: on drawn and on grouped ones, by any numbering of items."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from retrieval_leaderboard.datasets.splits.holdout import contiguous_block, draw, is_contiguous

Codes = npt.NDArray[np.int32]


def contiguous(user: Codes, item: Codes, held: npt.NDArray[np.bool_]) -> bool:
    order = np.lexsort((item, user))
    return is_contiguous(user[order], item[order], held[order])


def by_first_appearance(user: Codes, item: Codes, held: npt.NDArray[np.bool_]) -> Codes:
    """Items numbered as they appear in train, whose rows stand by user, and then in test."""
    seen = np.concatenate((item[~held], item[held]))
    codes, at = np.unique(seen, return_index=True)
    number = np.empty(item.max() + 1, dtype=np.int32)
    number[codes[np.argsort(at)]] = np.arange(len(codes))
    return number[item]


@pytest.fixture(scope="module")
def sparse() -> tuple[Codes, Codes]:
    """User and item of 3,000 users with 30 of 60,000 items each, many of them nobody's before."""
    rng = np.random.default_rng(0)
    item = np.concatenate([rng.choice(60_000, 30, replace=False) for _ in range(3000)])
    return np.repeat(np.arange(3000, dtype=np.int32), 30), item.astype(np.int32)


def test_a_draw_is_not_contiguous_by_first_appearance_in_train(sparse: tuple[Codes, Codes]):
    user, item = sparse
    held = draw(user, 20, np.random.default_rng(1))
    assert not contiguous(user, item, held)
    assert not contiguous(user, by_first_appearance(user, item, held), held)


def test_a_block_is_contiguous_by_first_appearance_in_train():
    """Of 2,000 users with 40 neighbors each of 500 items, those of a block are test."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(2000, dtype=np.int32), 40)
    item = ((rng.integers(0, 500, 2000)[:, None] + np.arange(40)) % 500).astype(np.int32).ravel()
    held = contiguous_block(user, 20, rng)
    assert contiguous(user, by_first_appearance(user, item, held), held)


@pytest.mark.parametrize(("grouped", "expected"), [(0.0, False), (0.015, False), (0.065, True), (1.0, True)])
def test_what_counts_is_a_tenth_more_than_by_chance(grouped: float, expected: bool):
    """Of each user's 40 rows 8 are test; a block has 5 times the neighbors of a draw."""
    users = 20_000
    user = np.repeat(np.arange(users, dtype=np.int32), 40)
    item = np.tile(np.arange(40, dtype=np.int32), users)
    rng = np.random.default_rng(0)
    held = np.where(user < grouped * users, contiguous_block(user, 20, rng), draw(user, 20, rng))
    assert is_contiguous(user, item, held) is expected


def test_nothing_is_contiguous_where_nothing_is_held():
    empty = np.zeros(0, dtype=np.int32)
    assert not is_contiguous(empty, empty, empty.astype(bool))
    one = np.zeros(3, dtype=np.int32)
    assert not is_contiguous(one, np.arange(3, dtype=np.int32), one.astype(bool))
