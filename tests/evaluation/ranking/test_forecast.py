"""Forecasts: near the time that a loop takes, by a sample of it, and said where it is long."""

import time

import numpy as np
import pytest

from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.evaluation.ranking import forecast
from retrieval_leaderboard.evaluation.ranking.item_neighbors import arrays
from retrieval_leaderboard.support import compute

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
