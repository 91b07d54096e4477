"""Protocols in which the order of a user's events decides."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.splits.hand_made import (
    check_contract,
    listed,
    make_log,
    one_user,
    rows_of,
)


def test_next_item_asks_for_each_of_the_last_three():
    dataset = split(make_log(one_user(7, 6, 5, 4, 3, 2, 1, 0)), "next-item", False, 0)
    check_contract(dataset)
    assert rows_of(dataset.train) == {0: [7, 6]}
    assert rows_of(dataset.train_valid) == {0: [7, 6, 5, 4, 3]}
    assert listed(dataset.valid) == [
        (0, [7, 6], [], [5]),
        (0, [7, 6, 5], [], [4]),
        (0, [7, 6, 5, 4], [], [3]),
    ]
    assert listed(dataset.test) == [
        (0, [7, 6, 5, 4, 3], [], [2]),
        (0, [7, 6, 5, 4, 3, 2], [], [1]),
        (0, [7, 6, 5, 4, 3, 2, 1], [], [0]),
    ]
    assert dataset.test.timestamp is not None and dataset.test.timestamp.tolist() == [5, 6, 7]


def test_next_item_histories_share_one_array():
    dataset = split(make_log(one_user(*range(9))), "next-item", True, 0)
    queries = (dataset.valid, dataset.test)
    shared = {id(rows.values) for q in queries for rows in (q.history, q.exclude, q.relevant)}
    assert len(shared) == 1


def test_next_item_counts_liked_events_only_but_keeps_all_in_histories():
    rating = np.array([5, 1, 4, 4, 3, 2, 5, 2, 2.5], dtype=np.float32)
    dataset = split(make_log(one_user(*range(9)), rating=rating), "next-item", False, 0)
    assert [relevant for *_, relevant in listed(dataset.valid)] == [[3], [4]]
    assert listed(dataset.test) == [(0, [0, 1, 2, 3, 4, 5], [], [6]), (0, [0, 1, 2, 3, 4, 5, 6, 7], [], [8])]
    assert rows_of(dataset.train_valid) == {0: [0, 1, 2, 3, 4, 5]}
    assert dataset.notes[0] == "1 test interactions with a low rating are no queries"


@pytest.mark.parametrize(
    ("events", "train", "valid", "test"),
    [(1, 1, 0, 0), (2, 1, 0, 1), (4, 1, 0, 3), (5, 1, 1, 3), (6, 1, 2, 3), (7, 1, 3, 3), (8, 2, 3, 3)],
)
def test_next_item_of_short_histories(events: int, train: int, valid: int, test: int):
    short = [(1, item, item) for item in range(events)]
    dataset = split(make_log(one_user(*range(10)) + short), "next-item", False, 0)
    assert len(rows_of(dataset.train)[1]) == train
    assert (dataset.valid.user == 1).sum() == valid
    assert (dataset.test.user == 1).sum() == test


def test_next_item_that_was_seen_before_is_truth_only_where_seen_items_are_kept():
    log = make_log(one_user(0, 1, 2, 3, 4, 5, 6, 0, 7))
    kept = split(log, "next-item", False, 0)
    assert [relevant for *_, relevant in listed(kept.test)] == [[6], [0], [7]]
    excluded = split(log, "next-item", True, 0)
    check_contract(excluded)
    assert listed(excluded.test) == [
        (0, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [6]),
        (0, [0, 1, 2, 3, 4, 5, 6, 0], [0, 1, 2, 3, 4, 5, 6, 0], [7]),
    ]
    assert "overlap in 1 pairs" in excluded.notes[0]


def test_equal_timestamps_stand_in_one_seeded_order():
    events = [(user, item, 0) for user in range(30) for item in range(10)]
    first, again, other = (split(make_log(events), "next-item", False, seed) for seed in (5, 5, 6))
    assert listed(first.test) == listed(again.test)
    assert listed(first.test) != listed(other.test)
    full = rows_of(first.train_valid)
    for user in range(30):
        one, two, three = (query for query in listed(first.test) if query[0] == user)
        assert one[1] == full[user]
        assert two[1] == one[1] + one[3]
        assert three[1] == two[1] + two[3]
        assert sorted(three[1] + three[3]) == list(range(10))


def test_ties_as_in_the_source_whatever_the_seed():
    events = [(user, item * 7 % 10, 0) for item in range(10) for user in range(30)]
    log = make_log([*events, (0, 11, 1), (0, 10, -1)], ties="source")
    dataset = split(log, "leave-last-one", True, 5)
    order = [item * 7 % 10 for item in range(10)]
    assert listed(dataset.test)[0][1::2] == ([10, *order], [11])
    assert all(query[1::2] == (order[:-1], order[-1:]) for query in listed(dataset.test)[1:])
    assert dataset.ties == "source"
    assert dataset.heading == "tiny: leave-last-one, ties as in the source, seen items excluded"
    assert listed(split(log, "leave-last-one", True, 6).test) == listed(dataset.test)
    assert split(make_log(events), "random", True, 0).ties == ""


def test_ties_as_in_a_source_that_has_lost_the_order_are_refused():
    log = make_log(one_user(0, 1, 2, 3), ties="source", ordered=False)
    with pytest.raises(
        InputError, match="tiny: --ties source needs rows in the order in which they happened"
    ):
        split(log, "leave-last-one", True, 0)
    assert len(split(log, "random", True, 0).test) == 1


def test_ties_do_not_move_what_has_a_time():
    events = [(0, item, item // 2) for item in range(20)]
    dataset = split(make_log(events), "leave-last-one", True, 1)
    history = dataset.test.history[0].tolist()
    assert [item // 2 for item in history] == [item // 2 for item in range(19)]


def test_leave_last_one():
    events = [*one_user(3, 2, 1, 0), (1, 0, 5), (1, 1, 6), (2, 2, 9), (2, 1, 8), (2, 0, 7)]
    dataset = split(make_log(events), "leave-last-one", True, 0)
    check_contract(dataset)
    assert rows_of(dataset.train) == {0: [3, 2], 1: [0, 1], 2: [0]}
    assert listed(dataset.valid) == [(0, [3, 2], [3, 2], [1]), (2, [0], [0], [1])]
    assert listed(dataset.test) == [(0, [3, 2, 1], [3, 2, 1], [0]), (2, [0, 1], [0, 1], [2])]


def test_sequences_agree_with_a_plain_computation():
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, (40, 60), (900, 2))
    events = [(int(u), int(i), int(t)) for (u, i), t in zip(pairs, rng.permutation(900), strict=True)]
    dataset = split(make_log(events), "next-item", False, 0)
    check_contract(dataset)
    expected = []
    for user in range(40):
        items = [i for t, i in sorted((t, i) for u, i, t in events if u == user)]
        cut = max(len(items) - 3, 1)
        expected += [(user, items[:at], [], [items[at]]) for at in range(cut, len(items))]
        assert rows_of(dataset.train_valid)[user] == list(dict.fromkeys(items[:cut]))
    assert listed(dataset.test) == expected
