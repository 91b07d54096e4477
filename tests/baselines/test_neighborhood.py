"""What follows from the data where a setting leaves it to a rule, in both item-to-item models."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.neighborhood import LONG
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets.dataset import Interactions
from tests.baselines.logs import interactions


@pytest.mark.parametrize(
    "a_user, n_items, kept",
    [(1, 9000, 500), (10, 9000, 500), (25, 9000, 200), (500, 9000, 50), (25, 1500, 150), (25, 500, 50)],
)
def test_neighbors_kept_follow_from_histories_and_catalog(a_user, n_items, kept):
    user = np.repeat(np.arange(3, dtype=np.int32), a_user)
    train = Interactions(user, np.tile(np.arange(a_user, dtype=np.int32), 3), None, 5, n_items)
    assert ItemCF().resolve(train, None)["top_k"] == kept
    assert ItemCF(top_k=7).resolve(train, None)["top_k"] == 7


@pytest.mark.parametrize("ordered, expected", [(True, 2.0), (False, 1.3)])
def test_large_similarities_count_more_in_time_order(ordered, expected):
    train = replace(interactions(np.random.default_rng(0)), ordered=ordered)
    fitted, same, other = ItemCF(), ItemCF(amplification=expected), ItemCF(amplification=1.7)
    for each in (fitted, same, other):
        each.fit(train, None, 0)
    np.testing.assert_array_equal(fitted.similarity_.toarray(), same.similarity_.toarray())
    assert (fitted.similarity_ != other.similarity_).nnz


@pytest.mark.parametrize("model, usual, far", [(ItemCF, 0.05, 0.5), (Swing, 0.1, 1.0)])
@pytest.mark.parametrize("ordered, density, long", [(True, 1, True), (True, 0.15, False), (False, 1, False)])
def test_popular_items_are_held_back_further_where_histories_are_long(
    model, usual, far, ordered, density, long
):
    train = replace(interactions(np.random.default_rng(0), 80, 100, density), ordered=ordered)
    assert (len(train) / (train.user_counts > 0).sum() >= LONG) == (density == 1)
    expected, other = (far, usual) if long else (usual, far)
    similarities = []
    for settings in ({}, {"target_exponent": expected}, {"target_exponent": other}):
        fitted = model(**settings)
        fitted.fit(train, None, 0)
        similarities.append(fitted.similarity_.toarray())
    np.testing.assert_array_equal(similarities[0], similarities[1])
    assert (similarities[0] != similarities[2]).any()


@pytest.mark.parametrize("length, expected", [(LONG, 1.0), (LONG - 1, 0.1)])
def test_histories_are_long_from_a_length_on(length, expected):
    user = np.repeat(np.arange(3, dtype=np.int32), length)
    train = Interactions(user, np.tile(np.arange(length, dtype=np.int32), 3), None, 5, length)
    assert Swing().resolve(train, None)["target_exponent"] == expected
