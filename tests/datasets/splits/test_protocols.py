"""Splits of hand-made logs: exact queries, seeds, shared memory, and what cannot be split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets import Categorical, Dataset, Features, Interactions, Queries
from retrieval_leaderboard.datasets.log import TEST, TRAIN, Log
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError

Event = tuple[int, int, int]


def make_log(events: list[Event], **fields) -> Log:
    """A log of (user, item, time) with codes as given."""
    user, item, timestamp = (np.array(column) for column in zip(*events, strict=True))
    content = {
        "name": "tiny",
        "user": user.astype(np.int32),
        "item": item.astype(np.int32),
        "user_ids": np.array([f"u{code}" for code in range(user.max() + 1)], dtype=object),
        "item_ids": np.array([f"i{code}" for code in range(item.max() + 1)], dtype=object),
        "timestamp": timestamp.astype(np.int64),
    }
    return Log(**(content | fields))


def whole_list(n_items: int) -> dict[str, np.ndarray]:
    """Fields of a log whose source lists all of `n_items` items that are taken, and one that nobody takes."""
    ids = np.array([f"i{code}" for code in range(n_items + 1)], dtype=object)
    return {"item_ids": ids, "listed": np.ones(n_items + 1, dtype=bool)}


def test_where_the_order_is_lost_times_come_first_and_items_decide_ties():
    events = [(0, 2, 3), (0, 1, 3), (0, 3, 1), (0, 0, 2), (1, 0, 1), (1, 1, 2), (0, 4, 9), (1, 2, 9)]
    log = make_log(events, ordered=False, periods=(8, 9))
    dataset = split(log, "time", False, 0)
    assert dataset.train.by_user[0].tolist() == [3, 0, 1, 2]
    assert dataset.train.ordered
    other = make_log([events[1], events[0], *events[2:]], ordered=False, periods=(8, 9))
    assert split(other, "time", False, 0).fingerprint == dataset.fingerprint


def listed(queries: Queries) -> list[tuple[int, list[int], list[int], list[int]]]:
    return [
        (
            int(queries.user[row]),
            queries.history[row].tolist(),
            queries.exclude[row].tolist(),
            queries.relevant[row].tolist(),
        )
        for row in range(len(queries))
    ]


def rows_of(train: Interactions) -> dict[int, list[int]]:
    return {user: train.by_user[user].tolist() for user in range(train.n_users) if len(train.by_user[user])}


def check_contract(dataset: Dataset) -> None:
    """What every split keeps, whatever its protocol."""
    for part in (dataset.train, dataset.train_valid):
        pairs = part.user.astype(np.int64) * part.n_items + part.item
        assert len(np.unique(pairs)) == len(pairs)
        assert (np.diff(part.user) >= 0).all()
        assert part.user.dtype == part.item.dtype == np.int32
        assert (part.n_users, part.n_items) == (len(dataset.user_ids), len(dataset.item_ids))
        if part.timestamp is not None:
            same_user = part.user[1:] == part.user[:-1]
            assert (np.diff(part.timestamp)[same_user] >= 0).all()
    for queries in (dataset.valid, dataset.test):
        assert queries.user.dtype == np.int32
        assert (queries.relevant.lengths > 0).all()
        for _, _, exclude, relevant in listed(queries):
            assert not set(exclude) & set(relevant)
            assert len(set(relevant)) == len(relevant)


# published


def published_log(train: list[tuple[int, int]], test: list[tuple[int, int]], **fields) -> Log:
    pairs = train + test
    part = np.array([TRAIN] * len(train) + [TEST] * len(test), dtype=np.uint8)
    log = make_log([(user, item, 0) for user, item in pairs], timestamp=None, ordered=False)
    return Log(**(vars(log) | {"part": part} | fields))


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


def in_one_block(items: list[int], length: int) -> bool:
    """Whether `items` are neighbors among the whole numbers below `length`, 0 following the last."""
    there = np.isin(np.arange(length), items)
    return int((there & ~np.roll(there, 1)).sum()) == 1


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


# random


def test_random_holds_out_a_fifth_of_each_users_distinct_items():
    events = [(user, item, 0) for user in range(3) for item in range(10)] + [(0, 0, 0), (3, 1, 0), (3, 2, 0)]
    dataset = split(make_log(events, timestamp=None), "random", True, 0)
    check_contract(dataset)
    assert [len(relevant) for *_, relevant in listed(dataset.test)] == [2, 2, 2]
    assert len(dataset.train_valid) == 3 * 8 + 2
    assert [len(relevant) for *_, relevant in listed(dataset.valid)] == [1, 1, 1]
    assert dataset.notes[0] == "1 duplicate interactions dropped from training"


# time


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


# next-item and leave-last-one


def one_user(*items: int) -> list[Event]:
    return [(0, item, moment) for moment, item in enumerate(items)]


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


# what holds for all


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
    with pytest.raises(InputError, match="no test query is left"):
        split(make_log([(0, 0, 0), (1, 1, 1)]), protocol, True, 0)


def test_truth_that_is_all_seen_is_an_error_that_says_so():
    with pytest.raises(InputError, match="every true item is one the user already had"):
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


# times below a second


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
