from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard import datasets
from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support.errors import InputError

# Item 2 was taken three times, items 0 and 3 twice, item 1 once and long ago, item 4 never.
DAY = 86_400
TRAIN = Interactions(
    user=np.array([0, 0, 1, 1, 1, 2, 2, 3], np.int32),
    item=np.array([2, 3, 0, 1, 2, 0, 2, 3], np.int32),
    timestamp=np.array([9, 10, 9, 0, 8, 9, 10, 10]) * DAY,
    n_users=5,
    n_items=5,
)


def answer(model, exclude, k):
    rows = Ragged.from_rows(exclude)
    users = np.full(len(rows), -1, np.int32)
    empty = Ragged.empty(len(rows))
    return model.recommend(Queries(users, empty, rows, empty), k)


def test_counts_rank_and_equal_counts_go_by_tie_rank():
    model = GlobalHot()
    model.fit(TRAIN, None, 0)
    items, scores = answer(model, [[], [2]], 6)
    assert items.tolist() == [[2, 0, 3, 1, -1, -1], [0, 3, 1, -1, -1, -1]]
    assert scores[0, :4].tolist() == [3, 2, 2, 1]
    assert model.parameters == 4


def test_half_life_halves_what_is_a_half_life_old():
    model = GlobalHot(half_life_days=1)
    model.fit(TRAIN, None, 0)
    items, scores = answer(model, [[]], 4)
    assert items.tolist() == [[3, 2, 0, 1]]
    np.testing.assert_allclose(scores, [[2, 1.75, 1, 2.0**-10]])


def test_what_is_many_half_lives_old_still_comes_last():
    model = GlobalHot(half_life_days=0.005)  # 2,000 half-lives to item 1.
    model.fit(TRAIN, None, 0)
    items, scores = answer(model, [[]], 5)
    assert items.tolist() == [[3, 2, 0, 1, -1]]
    assert scores[0, 3] == 0


def test_half_life_needs_times():
    with pytest.raises(InputError, match="half_life_days=1 needs the time"):
        GlobalHot(half_life_days=1).fit(replace(TRAIN, timestamp=None), None, 0)


def test_a_negative_half_life_is_refused():
    with pytest.raises(InputError, match="half_life_days is -1: give 0 or more"):
        GlobalHot(half_life_days=-1)


def test_contract():
    check_model(GlobalHot)


def test_published_number_of_global_hot_on_gowalla(data_dir):
    data = datasets.load("gowalla", data_dir)
    model = GlobalHot()
    model.fit(data.train_valid, None, 0)
    items, _ = model.recommend(data.test, 20)
    reached = measure.mean(measure.per_query(items, data.test.relevant, 20))
    assert (round(reached["recall"], 4), round(reached["ndcg"], 4)) == (0.0416, 0.0317)
