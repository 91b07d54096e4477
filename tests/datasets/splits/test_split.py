"""What holds for every protocol: what cannot be split, features, notes, fingerprints and order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets import Categorical, Features
from retrieval_leaderboard.datasets.log import TEST, TRAIN
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.splits.hand_made import (
    check_contract,
    listed,
    make_log,
    one_user,
    published_log,
    rows_of,
    whole_list,
)


def test_where_the_order_is_lost_times_come_first_and_items_decide_ties():
    events = [(0, 2, 3), (0, 1, 3), (0, 3, 1), (0, 0, 2), (1, 0, 1), (1, 1, 2), (0, 4, 9), (1, 2, 9)]
    log = make_log(events, ordered=False, periods=(8, 9))
    dataset = split(log, "time", False, 0)
    assert dataset.train.by_user[0].tolist() == [3, 0, 1, 2]
    assert dataset.train.ordered
    other = make_log([events[1], events[0], *events[2:]], ordered=False, periods=(8, 9))
    assert split(other, "time", False, 0).fingerprint == dataset.fingerprint


def test_random_holds_out_a_fifth_of_each_users_distinct_items():
    events = [(user, item, 0) for user in range(3) for item in range(10)] + [(0, 0, 0), (3, 1, 0), (3, 2, 0)]
    dataset = split(make_log(events, timestamp=None), "random", True, 0)
    check_contract(dataset)
    assert [len(relevant) for *_, relevant in listed(dataset.test)] == [2, 2, 2]
    assert len(dataset.train_valid) == 3 * 8 + 2
    assert [len(relevant) for *_, relevant in listed(dataset.valid)] == [1, 1, 1]
    assert dataset.notes[0] == "1 duplicate interactions dropped from training"


@pytest.mark.parametrize("protocol", ["time", "next-item", "leave-last-one"])
def test_protocols_of_time_need_timestamps(protocol: str):
    log = make_log(one_user(*range(9)), timestamp=None)
    with pytest.raises(InputError, match=f"tiny: protocol '{protocol}' needs a timestamp column"):
        split(log, protocol, True, 0)


def test_unknown_protocol_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'next-item'"):
        split(make_log([(0, 0, 0)]), "nextitem", True, 0)


@pytest.mark.parametrize("protocol", ["next-item", "leave-last-one", "random"])
def test_no_query_left_is_an_error(protocol: str):
    with pytest.raises(InputError, match=r"no test query is left.* rating above 2; use more data or another"):
        split(make_log([(0, 0, 0), (1, 1, 1)]), protocol, True, 0)


def test_truth_that_is_all_seen_is_an_error_that_says_so():
    with pytest.raises(InputError, match=r"every true item is one the user already had; give --keep-seen$"):
        split(published_log([(0, 0)], [(0, 0)]), "published", True, 0)


def test_nothing_to_learn_from_is_an_error():
    with pytest.raises(InputError, match="no training interaction is left"):
        split(make_log(one_user(0, 1, 2), periods=(0, 1), **whole_list(3)), "time", True, 0)


def test_features_title_and_notes_reach_the_dataset():
    features = Features({"kind": Categorical(np.array([0, 1, 0], np.int32), ["unknown", "a"])})
    log = make_log(
        one_user(0, 1, 2, 2), item_features=features, title="Tiny, told", synthetic=True, notes=("first",)
    )
    dataset = split(log, "leave-last-one", False, 4)
    assert dataset.train.item_features is dataset.train_valid.item_features is features
    assert (dataset.title, dataset.synthetic, dataset.notes[0]) == ("Tiny, told", True, "first")
    assert (dataset.name, dataset.protocol, dataset.exclude_seen, dataset.split_seed) == (
        "tiny",
        "leave-last-one",
        False,
        4,
    )
    assert split(make_log(one_user(0, 1, 2)), "leave-last-one", True, 0).title == "tiny"


def test_the_fingerprint_tells_content_protocol_and_seen_items_apart():
    log, other = make_log(one_user(0, 1, 2, 3, 4)), make_log(one_user(0, 1, 2, 4, 3))
    prints = {
        split(log, "leave-last-one", True, 0).fingerprint,
        split(log, "leave-last-one", False, 0).fingerprint,
        split(log, "next-item", True, 0).fingerprint,
        split(other, "leave-last-one", True, 0).fingerprint,
    }
    assert len(prints) == 4


def test_files_that_differ_in_a_lost_order_alone_are_one_dataset():
    train, test = [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)], [(0, 6), (0, 7)]
    prints = {
        split(published_log(train[::step], test[::step]), "published", True, 0).fingerprint
        for step in (1, -1)
    }
    assert len(prints) == 1


@pytest.mark.parametrize("protocol", ["time", "next-item", "leave-last-one", "cold-items", "random"])
def test_the_order_below_a_second_is_kept(protocol: str):
    """All within one second of each user, beside the same events a second apart."""
    rng = np.random.default_rng(0)
    events = [
        (user, int(item), int(step))
        for user in range(9)
        for item in range(9)
        for step in rng.integers(99, size=1)
    ]
    whole = make_log(events)
    assert whole.timestamp is not None
    fine = replace(
        whole,
        timestamp=np.full(len(events), 1_600_000_000),
        nanoseconds=(whole.timestamp * 10_000_000).astype(np.int32),
    )
    expected, found = split(whole, protocol, False, 3), split(fine, protocol, False, 3)
    assert listed(found.test) == listed(expected.test)
    assert listed(found.valid) == listed(expected.valid)
    assert rows_of(found.train_valid) == rows_of(expected.train_valid)


def test_moments_are_ordered_by_seconds_then_nanoseconds():
    log = make_log([(0, 0, 5), (0, 1, 4), (0, 2, 5), (0, 3, 4), (0, 4, 5)])
    log = replace(log, nanoseconds=np.array([1, 9, 0, 9, 1], dtype=np.int32))
    assert log.moment is not None
    assert log.moment.tolist() == [5 * 10**9 + 1, 4 * 10**9 + 9, 5 * 10**9, 4 * 10**9 + 9, 5 * 10**9 + 1]
    assert log.seconds(5 * 10**9 + 1) == 5
    assert log.timestamp is not None
    late = replace(log, timestamp=log.timestamp + 10**10)
    assert late.moment is not None
    assert late.moment.tolist() == [2, 0, 1, 0, 2], "nanoseconds since 1970 do not fit into 64 bits"
    assert late.seconds(1) == 10**10 + 5


@pytest.mark.parametrize(("timed", "split_before", "ordered"), [
    (True, False, True), (True, True, True), (False, False, False), (False, True, True),
])  # fmt: skip
def test_rows_without_times_are_in_order_where_the_source_comes_split(timed, split_before, ordered):
    part = np.array([TRAIN] * 7 + [TEST] * 2, np.uint8) if split_before else None
    log = make_log(one_user(*range(9)), part=part, **({} if timed else {"timestamp": None}))
    found = split(log, "given" if split_before else "random", True, 0)
    assert found.train.ordered == found.train_valid.ordered == ordered
