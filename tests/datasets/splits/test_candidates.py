"""The catalog of each protocol: what may be returned is known without the test period."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets import Categorical, Features, Multivalued, Numeric, load
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.datasets.splits.candidates import KNOWN_BEFORE, LISTED_TOO, TAKEN
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.splits.hand_made import make_log

EVENTS = [
    (0, 0, 1),
    (0, 3, 12),
    (1, 2, 5),
    (1, 3, 11),
    (1, 0, 13),
    (0, 2, 22),
    (0, 4, 21),
    (1, 4, 23),
    (2, 1, 24),
    (2, 0, 25),
]
"""Items 0 and 2 are known before 10, item 3 before 20, items 1 and 4 only from 20 on."""


def drawn(seed: int, n_items: int = 40, **fields):
    rng = np.random.default_rng(seed)
    events = [(int(u), int(i), int(t)) for u, i, t in rng.integers(0, (15, n_items, 1000), (120, 3))]
    events += [(0, n_items - 1, 999)]
    return events, make_log(events, periods=(700, 850), **fields)


def test_an_item_of_the_test_period_alone_is_no_candidate():
    dataset = split(make_log(EVENTS, periods=(10, 20)), "time", True, 0)
    assert dataset.item_ids.tolist() == ["i0", "i2", "i3"]
    assert dataset.candidates == KNOWN_BEFORE
    assert [dataset.test.relevant[row].tolist() for row in range(2)] == [[1], [0]]
    assert dataset.test.user.tolist() == [0, 2]
    assert dataset.notes[0] == (
        "3 test interactions with 2 items that nobody knew before the test period are no truth"
    )


def test_a_validation_query_asks_for_items_known_before_its_period():
    dataset = split(make_log(EVENTS, periods=(10, 20)), "time", True, 0)
    assert dataset.valid.user.tolist() == [1]
    assert dataset.valid.relevant[0].tolist() == [0], "item 3 enters in the validation period"
    assert 2 in dataset.train_valid.item, "and is learned from all the same"


def test_what_the_source_lists_is_a_candidate_whoever_took_it():
    listed = np.array([False, True, False, False, False, True])
    ids = np.array([f"i{item}" for item in range(6)], dtype=object)
    dataset = split(make_log(EVENTS, periods=(10, 20), listed=listed, item_ids=ids), "time", True, 0)
    assert dataset.item_ids.tolist() == ["i0", "i1", "i2", "i3", "i5"]
    assert dataset.candidates == f"{KNOWN_BEFORE}, {LISTED_TOO}"


def test_a_list_of_what_was_taken_and_nothing_else_tells_of_the_test_period():
    listed = np.array([True, True, True, True, False])
    dataset = split(make_log(EVENTS, periods=(10, 20), listed=listed), "time", True, 0)
    assert dataset.item_ids.tolist() == ["i0", "i2", "i3"]
    assert dataset.candidates == KNOWN_BEFORE


def test_nothing_before_the_test_period_is_an_error():
    events = [(user, item, 5) for user in range(10) for item in range(10)] + [(0, 0, 7), (1, 11, 8)]
    with pytest.raises(InputError, match="nothing comes before the test period"):
        split(make_log(events), "time", True, 0)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_but_the_queries_depends_on_the_test_period(seed: int):
    events, log = drawn(seed)
    before = [event for event in events if event[2] < 850]
    known = sorted({item for _, item, _ in before})
    replaced = before + [(user, known[0], when) for user, _, when in events if when >= 850]
    whole = split(log, "time", False, 0)
    other = split(make_log(replaced, periods=(700, 850)), "time", False, 0)
    assert whole.item_ids.tolist() == other.item_ids.tolist() == [f"i{item}" for item in known]
    for ours, theirs in ((whole.train, other.train), (whole.train_valid, other.train_valid)):
        assert (ours.item.tolist(), ours.n_items) == (theirs.item.tolist(), theirs.n_items)
    assert whole.valid.relevant.compact()[0].tolist() == other.valid.relevant.compact()[0].tolist()


def test_periods_by_quantile_are_those_of_the_whole_log():
    _, log = drawn(3)
    whole = make_log(list(zip(log.user, log.item, log.timestamp, strict=True)))
    moment = np.sort(log.timestamp)
    dataset = split(whole, "time", False, 0)
    assert dataset.train_valid.timestamp.max() < moment[len(moment) * 9 // 10] <= dataset.test.timestamp.min()


@pytest.mark.parametrize("protocol", ["next-item", "leave-last-one", "random"])
def test_other_protocols_take_every_item_with_an_interaction(protocol: str):
    listed = np.ones(42, dtype=bool)
    events, log = drawn(0, listed=listed, item_ids=np.array([f"i{item}" for item in range(42)], dtype=object))
    dataset = split(log, protocol, True, 0)
    assert len(dataset.item_ids) == len({item for _, item, _ in events}) < 42
    assert dataset.candidates == TAKEN


def test_features_follow_the_items_and_lose_values_that_none_has():
    features = Features(
        {
            "kind": Categorical(np.array([3, 1, 0, 2, 1], np.int32), ["unknown", "a", "b", "c"]),
            "tags": Multivalued(
                Ragged.from_rows([[1, 2], [3], [], [4], [3, 1]]), ["unknown", "p", "q", "r", "s"]
            ),
            "price": Numeric(np.arange(5, dtype=np.float32)),
        }
    )
    dataset = split(make_log(EVENTS, periods=(10, 20), item_features=features), "time", True, 0)
    found = dataset.train.item_features
    assert found is not None
    assert found["kind"].codes.tolist() == [2, 0, 1]
    assert found["kind"].vocabulary == ["unknown", "b", "c"]
    assert found["tags"].vocabulary == ["unknown", "p", "q", "s"]
    assert [found["tags"].codes[row].tolist() for row in range(3)] == [[1, 2], [], [3]]
    assert found["price"].numbers.tolist() == [0, 2, 3]


def test_aliec_sim_ranks_every_ad_of_ad_feature(tmp_path: Path):
    dataset = load("aliec-sim", tmp_path, scale=0.001)
    cold = dataset.train_valid.item_counts == 0
    true = np.unique(dataset.test.relevant.compact()[0])
    assert len(dataset.item_ids) == 847
    assert cold.sum() > 10 * cold[true].sum() > 0, "most cold items are nobody's truth"


def test_every_movie_of_ml_1m_competes_by_time_and_every_rated_one_by_next_item(data_dir: Path):
    assert len(load("ml-1m", data_dir, protocol="time").item_ids) == 3883
    assert len(load("ml-100k", data_dir, protocol="time").item_ids) == 1637, "u.item lists what was rated"
    assert len(load("ml-1m", data_dir, protocol="next-item").item_ids) == 3706
