"""Forecasts: near the time that a loop takes, by a sample of it, and said where it is long."""

import time

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.evaluation.ranking import forecast, item_neighbors
from retrieval_leaderboard.evaluation.ranking.item_neighbors import arrays
from retrieval_leaderboard.support import compute
from tests.baselines.logs import interactions

LENGTHS = np.random.default_rng(0).integers(1, 400, 300)


@pytest.fixture
def users():
    offsets = offsets_of(LENGTHS)
    return arrays(Ragged.from_offsets(np.zeros(offsets[-1], np.int32), offsets))


@pytest.mark.parametrize("power", [1, 2])
def test_near_what_the_loop_takes(users, power, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "thread_time", lambda: clock[0])

    def kernel(items, rows):
        """Takes 1 ms a call, and 1 µs a user or a pair of users."""
        clock[0] += 1e-3 + 1e-6 * ((rows[2] - rows[1])[items].astype(float) ** power).sum()

    monkeypatch.setattr(forecast, "WORTH_SAYING", 0)
    lengths = LENGTHS.astype(float)
    found = forecast.loop_seconds(kernel, users, (lengths**2, lengths**2), 20, power, 7)
    assert found == pytest.approx(7e-3 + 1e-6 * (lengths**power).sum(), rel=0.5)
    assert clock[0] < 1


def test_nothing_to_do(users, monkeypatch):
    monkeypatch.setattr(forecast, "WORTH_SAYING", 0)
    assert forecast.loop_seconds(lambda *_: None, users, (np.zeros(300), np.zeros(300)), 20, 1, 7) < 1e-3


def test_what_is_short_in_any_case_is_not_timed(users):
    def kernel(*_):
        raise AssertionError("it was called")

    assert forecast.loop_seconds(kernel, users, (np.full(300, 1e6),) * 2, 20, 1, 7) == 0
    with pytest.raises(AssertionError, match="it was called"):
        forecast.loop_seconds(kernel, users, (np.full(300, 1e7),) * 2, 20, 1, 7)


def test_said_where_it_is_long(capsys, monkeypatch):
    forecast.say("any", 30, "5 pairs; do less")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=2))
    forecast.say("any", 90, "5 pairs; do less")
    assert capsys.readouterr().out == ""
    forecast.say("any", 7200 * 25, "5 pairs; do less")
    assert capsys.readouterr().out == "any: about 25 h 0 min on 2 threads for 5 pairs; do less\n"


def test_some_users_tell_of_all(users, monkeypatch):
    """A tenth of the users of each item, and none of some items: a step takes a millisecond all the same."""
    clock = [0.0]
    monkeypatch.setattr(time, "thread_time", lambda: clock[0])

    def kernel(items, rows):
        clock[0] += 1e-3 * (rows[2] - rows[1])[items].sum()

    values, start, stop = users
    few = values, start, start + (stop - start) // 10
    costs = LENGTHS.astype(float), (few[2] - few[1]).astype(float)
    assert (costs[1] == 0).any()
    found = forecast.loop_seconds(kernel, few, (1e7 * costs[0], 1e7 * costs[1]), 4096, 1, 7)
    assert found == pytest.approx(1e-3 * LENGTHS.sum(), rel=1e-6)


def needed(train, top_k, *more):
    return item_neighbors.bytes_needed(train, top_k, item_neighbors.activity(train), *more)


def test_bytes_count_what_an_item_can_keep(monkeypatch):
    monkeypatch.setattr(item_neighbors, "INTERACTION_BYTES", 0)
    train = interactions(np.random.default_rng(0))
    few, many = (needed(train, k) for k in (1, 1000))
    taken = int((train.item_counts > 0).sum())
    assert few - needed(train, 0) == item_neighbors.ENTRY_BYTES * taken
    # Nothing is near to anything where everyone took one item.
    alone = Interactions(np.arange(5, dtype=np.int32), np.zeros(5, np.int32), None, 5, 1)
    assert needed(alone, 9) == needed(alone, 0)
    nothing, half, all_of_them = (needed(train, 9, share) for share in (0, 0.5, 1))
    assert half - nothing == pytest.approx((all_of_them - nothing) / 2, abs=1)
    assert needed(train, 9, 1, 1000) == all_of_them + 1000
    assert many == needed(train, train.n_items)


def test_bytes_are_at_least_those_of_putting_interactions_by_item():
    train = interactions(np.random.default_rng(0))
    assert needed(train, 0) == item_neighbors.INTERACTION_BYTES * len(train)
