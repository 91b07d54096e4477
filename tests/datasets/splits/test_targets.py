"""Targets in every protocol: test and validation ask for target events alone, histories hold all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions, Queries
from retrieval_leaderboard.datasets.log import ONCE, SUM, TEST, TRAIN, VALID, Log
from retrieval_leaderboard.datasets.splits.split import split


def log(rows: list[tuple[int, int, int, bool]], **more) -> Log:
    """Of (user, item, time, whether bought)."""
    user, item, when, bought = (np.array(column) for column in zip(*rows, strict=True))
    return Log(
        name="made",
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        user_ids=np.array([f"u{code}" for code in range(user.max() + 1)], dtype=object),
        item_ids=np.array([f"i{code}" for code in range(item.max() + 1)], dtype=object),
        timestamp=when.astype(np.int64),
        target=bought.astype(np.bool_),
        **more,
    )


def asked(queries: Queries) -> dict[int, list[tuple[list[int], list[int]]]]:
    """User → (history, relevant) of each query."""
    found: dict[int, list[tuple[list[int], list[int]]]] = {}
    for at, user in enumerate(queries.user.tolist()):
        found.setdefault(user, []).append((queries.history[at].tolist(), queries.relevant[at].tolist()))
    return found


def pairs(train: Interactions) -> list[tuple[int, int]]:
    return list(zip(train.user.tolist(), train.item.tolist(), strict=True))


VIEW, BUY = False, True
USERS = [
    # views, buys and more views: items 0 to 6 in time order
    *[(0, item, item, item in (2, 3, 5)) for item in range(7)],
    # one purchase, after two views
    *[(1, item, 10 + item, item == 4) for item in (1, 2, 4)],
    # no purchase
    *[(2, item, 20 + item, VIEW) for item in (0, 1, 2)],
    # a purchase that nothing comes before
    *[(3, item, 30 + item, item == 0) for item in (0, 1, 2)],
]


def test_leave_last_one_asks_for_the_last_target_event():
    data = split(log(USERS), "leave-last-one", False, 0)
    assert asked(data.test) == {0: [([0, 1, 2, 3, 4], [5])], 1: [([1, 2], [4])]}
    assert asked(data.valid) == {0: [([0, 1, 2], [3])]}
    learned = {user: [item for one, item in pairs(data.train_valid) if one == user] for user in range(4)}
    assert learned == {0: [0, 1, 2, 3, 4], 1: [1, 2], 2: [0, 1, 2], 3: [0, 1, 2]}
    assert [item for one, item in pairs(data.train) if one == 0] == [0, 1, 2]
    assert "1 interactions from a user's first test query on are not learned from" in data.notes


def test_next_item_asks_for_three_target_events():
    rows = [(0, item, item, item % 2 == 0) for item in range(16)]
    data = split(log(rows), "next-item", False, 0)
    before = {item: list(range(item)) for item in range(16)}
    assert asked(data.test) == {0: [(before[item], [item]) for item in (10, 12, 14)]}
    assert asked(data.valid) == {0: [(before[item], [item]) for item in (4, 6, 8)]}
    assert pairs(data.train) == [(0, item) for item in range(4)]
    assert pairs(data.train_valid) == [(0, item) for item in range(10)]


def test_time_asks_for_the_targets_of_a_period_at_the_first_of_them():
    rng = np.random.default_rng(0)
    rows = [(int(u), int(i), when, bool(rng.random() < 0.3))
            for when, (u, i) in enumerate(rng.integers(0, 15, (600, 2)))]  # fmt: skip
    made = log(rows)
    data = split(made, "time", False, 0)
    for (begin, end), queries in (((480, 540), data.valid), ((540, 600), data.test)):
        bought = [row for row in rows[begin:end] if row[3]]
        expected = {user: {row[1] for row in bought if row[0] == user} for user, *_ in bought}
        found = {user: set(each[0][1]) for user, each in asked(queries).items()}
        assert found == expected
        for user, when in zip(queries.user, queries.timestamp, strict=True):
            assert when == min(row[2] for row in bought if row[0] == user)
    assert len(data.train_valid) == len({row[:2] for row in rows[:540]})


def test_random_holds_out_targets_with_every_row_of_theirs():
    rng = np.random.default_rng(0)
    rows = [(int(u), int(i), when, bool(rng.random() < 0.4))
            for when, (u, i) in enumerate(rng.integers(0, 25, (900, 2)))]  # fmt: skip
    data = split(log(rows), "random", False, 0)
    bought = {row[:2] for row in rows if row[3]}
    tests = {(user, item) for user, each in asked(data.test).items() for item in each[0][1]}
    valids = {(user, item) for user, each in asked(data.valid).items() for item in each[0][1]}
    assert tests and valids and tests | valids <= bought and not tests & valids
    assert set(pairs(data.train_valid)) == {row[:2] for row in rows} - tests
    assert set(pairs(data.train)) == set(pairs(data.train_valid)) - valids
    of_user = sum(pair[0] == 3 for pair in bought)
    assert sum(user == 3 for user, _ in tests) == (of_user * 20 + 50) // 100


def test_published_asks_for_targets_among_the_test_rows():
    part = np.array([TEST if row[2] in (4, 5, 6) else TRAIN for row in USERS], dtype=np.uint8)
    data = split(log(USERS, part=part), "published", False, 0)
    assert asked(data.test) == {0: [([0, 1, 2, 3], [5])]}


def test_given_parts_ask_for_their_targets_and_learn_from_all_before():
    part = np.array([(TRAIN, VALID, TEST)[min(row[2] % 10 // 2, 2)] for row in USERS], dtype=np.uint8)
    weight = np.array([1 + row[1] for row in USERS], dtype=np.float32)
    data = split(log(USERS, part=part, weight=weight), "given", False, 0)
    assert asked(data.valid) == {0: [([0, 1], [2, 3])]}
    assert asked(data.test) == {0: [([0, 1, 2, 3], [5])], 1: [([1, 2], [4])]}
    for train in (data.train, data.train_valid):
        assert train.weight is not None
        assert train.weight.tolist() == [1 + item for item in train.item]


def test_seen_items_excluded_make_purchases_of_viewed_items_no_truth():
    rows = [(user, item, item, VIEW) for user in range(3) for item in range(4)]
    rows += [(user, user, 10, BUY) for user in range(3)] + [(0, 4, 11, BUY)]
    kept = split(log(rows), "leave-last-one", False, 0)
    assert asked(kept.test) == {0: [([0, 1, 2, 3, 0], [4])], **{u: [([0, 1, 2, 3], [u])] for u in (1, 2)}}
    excluded = split(log(rows), "leave-last-one", True, 0)
    assert asked(excluded.test) == {0: [([0, 1, 2, 3, 0], [4])]}


def plain(data: Dataset) -> list[np.ndarray]:
    return [
        data.train.user,
        data.train.item,
        data.test.relevant.compact()[0],
        data.valid.history.compact()[0],
    ]


@pytest.mark.parametrize("protocol", ["time", "next-item", "cold-items", "leave-last-one", "random"])
def test_where_every_row_is_a_target_nothing_changes(protocol: str):
    rng = np.random.default_rng(0)
    rows = [(int(u), int(i), int(t), BUY) for u, i, t in rng.integers(0, 30, (900, 3))]
    all_targets = log(rows)
    without = split(replace(all_targets, target=None), protocol, False, 0)
    assert split(all_targets, protocol, False, 0).fingerprint == without.fingerprint


@pytest.mark.parametrize("protocol", ["time", "next-item", "cold-items", "leave-last-one", "random"])
@pytest.mark.parametrize("repeats, together", [(ONCE, max), (SUM, sum)])
@pytest.mark.parametrize("cap", [None, 6.0])
def test_a_pair_weighs_what_its_training_rows_do_and_has_their_times(
    protocol: str, repeats: str, together, cap
):
    rng = np.random.default_rng(0)
    rows = [(int(u), int(i), when, BUY) for when, (u, i) in enumerate(rng.integers(0, 12, (800, 2)))]
    weight = rng.choice(np.array([1, 2, 5], np.float32), len(rows))
    made = replace(log(rows, weight=weight, repeats=repeats, weight_cap=cap), target=None)
    data = split(made, protocol, False, 0)
    for train in (data.train, data.train_valid):
        assert train.weight is not None and train.weight.dtype == np.float32
        until = {"time": 640 if train is data.train else 720}.get(protocol, 800)
        assert train.last_timestamp is not None
        columns = train.user, train.item, train.weight, train.timestamp, train.last_timestamp
        for user, item, found, *times in zip(*columns, strict=True):
            of_user = [at for at, row in enumerate(rows) if row[0] == user]
            if protocol in ("next-item", "cold-items", "leave-last-one"):
                each = 1 if protocol == "leave-last-one" else 3
                of_user = of_user[: -each if train is data.train_valid else -2 * each]
            known = [at for at in of_user if rows[at][1] == item and at < until]
            assert found == min(together(float(weight[at]) for at in known), cap or np.inf)
            assert times == [known[0], known[-1]]


def test_repeats_are_counted_without_weights_too_and_weights_of_one_are_none():
    rows = [(user, item, item, BUY) for user in range(4) for item in range(5)]
    once = replace(log(rows), target=None)
    summed = replace(log(rows + rows[:3], repeats=SUM), target=None)
    assert split(once, "random", True, 0).train_valid.weight is None
    assert split(once, "random", True, 0).train_valid.last_timestamp is None
    ones = replace(once, weight=np.ones(len(rows), np.float32))
    assert split(ones, "random", True, 0).fingerprint == split(once, "random", True, 0).fingerprint
    found = split(summed, "random", True, 0)
    assert found.train_valid.weight is not None
    assert set(found.train_valid.weight.tolist()) == {1.0, 2.0}
    assert found.fingerprint != split(replace(summed, repeats=ONCE), "random", True, 0).fingerprint
