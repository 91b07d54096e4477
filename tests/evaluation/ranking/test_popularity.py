"""Places that a model leaves empty hold popular items."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models import lists
from retrieval_leaderboard.evaluation.ranking import popularity
from tests.baselines.logs import interactions, queries

NONE = -np.inf


def filled(items, scores, order, exclude):
    arrays = np.array(items, np.int32), np.array(scores, np.float32)
    return popularity.filled(arrays, np.array(order, np.int32), Ragged.from_rows(exclude))


def test_empty_places_hold_the_most_popular_of_the_others():
    items, scores = filled(
        [[4, 2, -1, -1], [0, 1, 2, 3], [-1, -1, -1, -1]],
        [[0.5, 0.25, NONE, NONE], [4, 3, 2, 1], [NONE] * 4],
        [2, 0, 1, 3],
        [[0], [], [2, 3]],
    )
    assert items.tolist() == [[4, 2, 1, 3], [0, 1, 2, 3], [0, 1, -1, -1]]
    assert scores.tolist() == [[0.5, 0.25, -1, -2], [4, 3, 2, 1], [-1, -2, NONE, NONE]]


def test_what_fills_is_below_a_score_below_zero():
    items, scores = filled([[1, -1, -1]], [[-3, NONE, NONE]], [0], [[]])
    assert items.tolist() == [[1, 0, -1]]
    assert scores.tolist() == [[-3, -4, NONE]]


@pytest.mark.parametrize("model", [ItemCF, Swing])
def test_item_to_item_models_end_in_what_is_popular(model):
    train = interactions(np.random.default_rng(4), 60, 80, 0.03)
    asked, k = queries(train), 70
    fitted, popular = model(top_k=2), GlobalHot()
    for each in (fitted, popular):
        each.fit(train, None, 0)
    items, scores = fitted.recommend(asked, k)
    lists.check(items, scores, asked, k, train.n_items)
    expected = popular.recommend(asked, k)[0]
    own = scores > 0
    assert own.any() and not own.all()
    for row, before, all_popular in zip(items, own, expected, strict=True):
        rest = [item for item in all_popular if item >= 0 and item not in row[before]]
        assert [item for item in row[~before] if item >= 0] == rest[: (~before).sum()]
    nothing = Ragged.empty(len(asked))
    unknown = replace(asked, history=nothing)
    np.testing.assert_array_equal(fitted.recommend(unknown, k)[0], expected)
