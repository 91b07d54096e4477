"""Periods of time: what is asked, and what is learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets import Categorical, Features
from retrieval_leaderboard.datasets.splits.split import split
from tests.datasets.splits.hand_made import (
    check_contract,
    listed,
    make_log,
    rows_of,
    whole_list,
)


def test_time_with_fixed_periods():
    events = [
        (0, 0, 1),
        (0, 1, 12),
        (0, 2, 11),
        (0, 0, 25),
        (0, 3, 21),
        (1, 1, 2),
        (1, 0, 3),
        (1, 0, 4),
        (2, 1, 20),
        (2, 4, 22),
        (2, 4, 23),
        (3, 2, 13),
    ]
    dataset = split(make_log(events, periods=(10, 20), **whole_list(5)), "time", True, 0)
    check_contract(dataset)
    assert rows_of(dataset.train) == {0: [0], 1: [1, 0]}
    assert rows_of(dataset.train_valid) == {0: [0, 2, 1], 1: [1, 0], 3: [2]}
    assert listed(dataset.valid) == [(0, [0], [0], [2, 1]), (3, [], [], [2])]
    assert listed(dataset.test) == [(0, [0, 2, 1], [0, 2, 1], [3]), (2, [], [], [1, 4])]
    assert dataset.valid.timestamp is not None and dataset.valid.timestamp.tolist() == [11, 13]
    assert dataset.test.timestamp is not None and dataset.test.timestamp.tolist() == [21, 20]
    assert dataset.notes == (
        "1 duplicate interactions dropped from training",
        "train and test overlap in 1 pairs: they are not counted as truth",
        "1 test users without a training interaction",
        "2 test items without a training interaction",
    )
    assert dataset.test.history.values is dataset.train_valid.item
    assert dataset.valid.history.values is dataset.train.item


@pytest.mark.parametrize("protocol", ["time", "next-item", "cold-items", "leave-last-one"])
def test_a_query_is_asked_where_its_first_item_was_taken(protocol: str):
    events = [(user, (3 * user + at) % 20, at) for user in range(4) for at in range(10)]
    place = np.array([1 + (at + user) % 3 for user, _, at in events], dtype=np.int32)
    context = Features({"place": Categorical(place, ["unknown", "a", "b", "c"])})
    log = make_log(events, context=context, periods=(6, 8))
    dataset = split(log, protocol, True, 0)
    placed = dict(zip(((user, at) for user, _, at in events), place.tolist(), strict=True))
    for asked in (dataset.train, dataset.valid, dataset.test):
        assert asked.context is not None and asked.timestamp is not None
        told = asked.context["place"].codes.tolist()
        assert told == [placed[pair] for pair in zip(asked.user, asked.timestamp, strict=True)]
    elsewhere = replace(log, context=Features({"place": Categorical(place[::-1].copy())}))
    assert split(elsewhere, protocol, True, 0).fingerprint != dataset.fingerprint


def test_time_without_periods_takes_the_last_two_tenths():
    events = [(event % 3, event, event) for event in range(100)]
    dataset = split(make_log(events, **whole_list(100)), "time", True, 0)
    check_contract(dataset)
    assert sorted(dataset.train.item.tolist()) == list(range(80))
    assert sorted(dataset.valid.relevant.compact()[0].tolist()) == list(range(80, 90))
    assert sorted(dataset.test.relevant.compact()[0].tolist()) == list(range(90, 100))


def test_nothing_of_the_test_period_is_learned():
    rng = np.random.default_rng(0)
    events = [(int(u), int(i), int(t)) for u, i, t in rng.integers(0, (30, 50, 1000), (600, 3))]
    dataset = split(make_log(events, periods=(700, 850)), "time", False, 0)
    check_contract(dataset)
    assert dataset.train.timestamp is not None and dataset.train.timestamp.max() < 700
    assert dataset.train_valid.timestamp is not None and dataset.train_valid.timestamp.max() < 850
    for queries, start, stop in ((dataset.valid, 700, 850), (dataset.test, 850, 1000)):
        for user, history, _, relevant in listed(queries):
            mine = [(t, i) for u, i, t in events if u == user]
            assert set(history) == {i for t, i in mine if t < start}
            assert set(relevant) == {i for t, i in mine if start <= t < stop}
