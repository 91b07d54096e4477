"""The source's own test rows, and how validation is carved beside them."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.splits.hand_made import (
    check_contract,
    in_one_block,
    listed,
    make_log,
    published_log,
    rows_of,
)


def test_published_asks_for_the_sources_test_rows():
    train = [(1, 4), (0, 2), (0, 0), (1, 1)]
    dataset = split(published_log(train, [(0, 3), (1, 0), (0, 1)]), "published", True, 0)
    check_contract(dataset)
    assert rows_of(dataset.train_valid) == {0: [0, 2], 1: [1, 4]}, "by code: the order is lost"
    assert listed(dataset.test) == [(0, [0, 2], [0, 2], [1, 3]), (1, [1, 4], [1, 4], [0])]
    assert not dataset.train.ordered
    assert dataset.test.timestamp is None


def test_published_carves_a_fifth_of_each_row():
    lengths = {0: 2, 1: 3, 2: 7, 3: 8, 4: 100}
    train = [(user, item) for user, length in lengths.items() for item in range(length)]
    dataset = split(published_log(train, [(0, 101)]), "published", True, 3)
    check_contract(dataset)
    carved = {user: len(relevant) for user, _, _, relevant in listed(dataset.valid)}
    assert carved == {1: 1, 2: 1, 3: 2, 4: 20}
    rest, full = rows_of(dataset.train), rows_of(dataset.train_valid)
    for user, history, exclude, relevant in listed(dataset.valid):
        assert history == exclude == rest[user]
        assert sorted(history + relevant) == full[user]


def test_published_as_the_test_carves_blocks_where_the_test_rows_are_contiguous():
    test = [(user, item) for user in range(200) for item in range(user, user + 10)]
    train = [(user, item) for user in range(200) for item in range(400) if not user <= item < user + 10]
    drawn = split(published_log(train, test), "published", True, 0)
    together = split(published_log(train, test, carve="as-test"), "published", True, 0)
    check_contract(together)
    assert (drawn.carve, together.carve) == ("draw", "block")
    assert listed(drawn.test) == listed(together.test)
    assert drawn.fingerprint != together.fingerprint
    full = rows_of(together.train_valid)
    for user, _, _, relevant in listed(together.valid):
        assert len(relevant) == 78
        assert in_one_block([full[user].index(item) for item in relevant], 390)

    rng = np.random.default_rng(0)
    test = [(user, item) for user in range(200) for item in rng.choice(400, 10, replace=False).tolist()]
    train = sorted({(user, item) for user in range(200) for item in range(400)} - set(test))
    scattered = split(published_log(train, test, carve="as-test"), "published", True, 0)
    assert scattered.carve == "draw"
    assert scattered.fingerprint == split(published_log(train, test), "published", True, 0).fingerprint
    full = rows_of(scattered.train_valid)
    assert not any(
        in_one_block([full[user].index(item) for item in relevant], 390)
        for user, _, _, relevant in listed(scattered.valid)
    )


def test_published_validation_depends_on_the_seed_alone():
    log = published_log([(user, item) for user in range(20) for item in range(20)], [(0, 21)])
    first, again, other = (split(log, "published", True, seed) for seed in (1, 1, 2))
    assert listed(first.valid) == listed(again.valid)
    assert listed(first.valid) != listed(other.valid)
    assert listed(first.test) == listed(other.test)
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_every_row_is_as_likely_to_be_carved():
    log = published_log([(user, item) for user in range(5000) for item in range(5)], [(0, 6)])
    taken = np.bincount(split(log, "published", True, 0).valid.relevant.compact()[0], minlength=5)
    assert taken.sum() == 5000
    assert abs(taken - 1000).max() < 150  # 5 standard deviations


def test_published_counts_overlap_duplicates_and_the_cold():
    train = [(0, 0), (0, 0), (0, 1), (1, 1)]
    test = [(0, 1), (0, 2), (1, 1), (2, 0), (2, 0)]
    dataset = split(published_log(train, test), "published", True, 0)
    check_contract(dataset)
    assert listed(dataset.test) == [(0, [0, 1], [0, 1], [2]), (2, [], [], [0])]
    assert dataset.notes == (
        "1 duplicate interactions dropped from training",
        "train and test overlap in 2 pairs: they are not counted as truth",
        "1 test queries have no other truth and are left out; with seen items kept they are asked",
        "1 test users without a training interaction",
        "1 test items without a training interaction",
        "no validation queries: too few interactions per user, or in the validation period",
    )


def test_published_with_seen_items_kept_keeps_the_whole_truth():
    dataset = split(published_log([(0, 0), (0, 1)], [(0, 1), (0, 2)]), "published", False, 0)
    assert listed(dataset.test) == [(0, [0, 1], [], [1, 2])]


def test_published_histories_are_views_of_the_training_items():
    train = [(user, item) for user in range(3) for item in range(10)]
    dataset = split(published_log(train, [(0, 11), (2, 12)]), "published", True, 0)
    assert dataset.test.history.values is dataset.train_valid.item
    assert dataset.test.exclude.values is dataset.train_valid.item
    assert dataset.valid.history.values is dataset.train.item


def test_published_needs_a_test_file():
    with pytest.raises(InputError, match="needs the source's own test file"):
        split(make_log([(0, 0, 0)]), "published", True, 0)
