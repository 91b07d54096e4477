"""Metrics of all lists together, by hand and against slow ones."""

import itertools
import math

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics.measure import LIST_LEVEL, list_level


def learned(pairs, n_items, features=None):
    """Interactions of (user, item) pairs, from a catalog of `n_items`."""
    user, item = np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2).T
    return Interactions(
        np.ascontiguousarray(user), np.ascontiguousarray(item), None, n_users=9, n_items=n_items,
        item_features=features,
    )  # fmt: skip


def lists(*rows):
    return np.array(rows, dtype=np.int32)


# Four users; items 0 to 3 were taken by 4, 2, 1 and 0 of them.
TRAIN = learned([(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 2)], n_items=4)


def test_by_hand():
    found = list_level(lists([0, 1], [0, 3], [-1, -1]), TRAIN)
    assert found == pytest.approx(
        {
            "coverage": 3 / 4,
            # Counts 0, 1, 1, 2 with ranks −3, −1, 1, 3: (0 − 1 + 1 + 6) / (4 · 4).
            "gini": 6 / 16,
            # Shares 1, 1/2, 1 and 1/4: the item that nobody took counts as taken by one of four.
            "novelty": (0 + 1 + 0 + 2) / 4,
            "popularity": (4 + 2 + 4 + 0) / 4,
        }
    )


def test_gini_is_half_the_relative_mean_difference():
    items = np.random.default_rng(0).zipf(1.6, (40, 5)).clip(max=30).astype(np.int32) - 1
    counts = np.bincount(items.ravel(), minlength=30)
    differences = np.abs(counts[:, None] - counts).mean() / (2 * counts.mean())
    assert list_level(items, learned([(0, 0)], 30))["gini"] == pytest.approx(differences)


def test_extremes_of_gini():
    assert list_level(lists([0], [1], [2], [3]), TRAIN)["gini"] == 0
    assert list_level(lists([0], [0], [0], [0]), TRAIN)["gini"] == 3 / 4


def test_lists_without_items_have_coverage_alone():
    assert list_level(lists([-1]), TRAIN) == {"coverage": 0.0}


def test_diversity_is_the_share_of_pairs_of_different_categories():
    features = Features({"cate_id": Categorical(np.array([1, 1, 2, 0], dtype=np.int32))})
    train = learned([(0, 0)], 4, features)
    # Of the pairs of 0, 1 and 2 two differ; item 3 has no category, and the last list no pair.
    found = list_level(lists([0, 1, 2], [2, 0, 3], [3, 0, -1]), train)["diversity"]
    assert found == pytest.approx((2 / 3 + 1) / 2)


def test_diversity_of_several_categories_is_the_mean_jaccard_distance():
    rng = np.random.default_rng(1)
    sets = [[0, *rng.permutation(6)[: rng.integers(0, 4)]] for _ in range(30)]
    features = Features(
        {"year": Categorical(np.ones(30, np.int32)), "genres": Multivalued(Ragged.from_rows(sets))}
    )
    items = np.stack([rng.permutation(30)[:5] for _ in range(50)]).astype(np.int32)
    items[::7, 3:] = -1
    known = [{code for code in row if code} for row in sets]
    means = []
    for row in items:
        pairs = itertools.combinations([known[item] for item in row if item >= 0 and known[item]], 2)
        distances = [1 - len(a & b) / len(a | b) for a, b in pairs]
        means += [np.mean(distances)] if distances else []
    assert len(means) > 40
    found = list_level(items, learned([(0, 0)], 30, features))["diversity"]
    assert found == pytest.approx(np.mean(means))


def test_data_without_categories_has_no_diversity():
    features = Features({"year": Categorical(np.array([1, 2, 3, 4], dtype=np.int32))})
    assert "diversity" not in list_level(lists([0, 1]), learned([(0, 0)], 4, features))
    assert "diversity" in LIST_LEVEL and not math.isnan(list_level(lists([0, 1]), TRAIN)["gini"])
