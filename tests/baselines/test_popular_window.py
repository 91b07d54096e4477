from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines.popular_window import PopularWindow
from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support.errors import InputError
from tests.baselines.logs import interactions, with_weights

DAY = 86_400


def asked(times, exclude):
    n = len(exclude)
    times = None if times is None else np.array(times, np.int64)
    return Queries(np.full(n, -1, np.int32), Ragged.empty(n), exclude, Ragged.empty(n), times)


def reference(train, days, time, exclude, k):
    """The list of one query, item by item."""
    again = train.timestamp if train.last_timestamp is None else train.last_timestamp
    last = again.max() + 1
    day = None if time is None else time // DAY * DAY
    end = last if time is None or time >= last else day if day > train.timestamp.min() else time
    weight = np.ones(len(train)) if train.weight is None else train.weight.astype(np.float64)
    within, before = np.zeros(train.n_items), np.zeros(train.n_items)
    for item, *when, each in zip(train.item, train.timestamp, again, weight, strict=True):
        before[item] += each * (when[0] < end)
        within[item] += each * any(end - days * DAY <= moment < end for moment in when)
    ranked = sorted(range(train.n_items), key=lambda i: (-within[i], -before[i], ties.rank(i)))
    found = [item for item in ranked if before[item] and item not in exclude][:k]
    return found, within[found]


def with_repeats(train):
    """The interactions, half of which came again up to half a year later."""
    rng = np.random.default_rng(1)
    later = rng.integers(0, 180 * DAY, len(train)) * rng.integers(0, 2, len(train))
    return replace(train, last_timestamp=train.timestamp + later)


@pytest.mark.parametrize("change", [lambda train: train, with_weights, with_repeats])
@pytest.mark.parametrize("days", [0.5, 200, 10_000])
def test_each_query_has_the_window_before_its_day(days, change):
    train = change(interactions(np.random.default_rng(0), times=True))
    times = [0, 5 * 10**7, 5 * 10**7 + 3600, 10**8 - 1, 10**9]
    exclude = Ragged.from_rows([[], [1, 2], [], list(range(20)), [7]])
    model = PopularWindow(days=days)
    model.fit(train, None, 0)
    items, scores = model.recommend(asked(times, exclude), 30)
    for row, time in enumerate(times):
        found, within = reference(train, days, time, set(exclude[row]), 30)
        assert items[row][items[row] >= 0].tolist() == found
        np.testing.assert_allclose(scores[row][: len(found)], within, rtol=1e-6)
    assert (items[0] == -1).all(), "nobody took anything before"


def test_without_a_time_the_window_ends_with_the_training_data():
    train = interactions(np.random.default_rng(0), times=True)
    model = PopularWindow(days=100)
    model.fit(train, None, 0)
    items, _ = model.recommend(asked(None, Ragged.empty(2)), 10)
    assert items.tolist() == [reference(train, 100, None, set(), 10)[0]] * 2


def test_data_without_times_is_refused():
    train = replace(interactions(np.random.default_rng(0)), timestamp=None)
    with pytest.raises(InputError, match="popular_window needs the time of each interaction"):
        PopularWindow().fit(train, None, 0)


def test_contract():
    check_model(PopularWindow)


def test_the_window_after_training_is_kept_until_the_next_fit():
    trains = [interactions(np.random.default_rng(seed), times=True) for seed in (0, 1)]
    model, exclude = PopularWindow(days=100), Ragged.from_rows([[3, 5]])
    for train in trains:
        model.fit(train, None, 0)
        for time in (None, 10**9, None):
            items, _ = model.recommend(asked(time if time is None else [time], exclude), 10)
            assert items[0].tolist() == reference(train, 100, time, {3, 5}, 10)[0]
    kept = model._latest
    model.recommend(asked([10**9], exclude), 10)
    assert model._latest is kept is not None


def test_on_the_first_day_of_the_data_the_window_ends_with_the_query():
    train = interactions(np.random.default_rng(0), times=True)
    train = replace(train, timestamp=train.timestamp % 20)
    model = PopularWindow()
    model.fit(train, None, 0)
    items, _ = model.recommend(asked([10, 0], Ragged.empty(2)), 10)
    assert items[0].tolist() == reference(train, 7, 10, set(), 10)[0]
    assert (items[1] == -1).all(), "nobody took anything before"
