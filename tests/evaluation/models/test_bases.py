"""Models that rank by vectors: what a zero vector means."""

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.evaluation.ranking import topk

RNG = np.random.default_rng(0)
ITEMS = RNG.normal(0.5, 1, size=(50, 8)).astype(np.float32)
ITEMS[[3, 7, 20, 49]] = 0
EXCLUDED = Ragged.from_rows([[3, 1], [2], [], [7, 49, 5], [0], [1]])


class Vectors(EmbeddingRetriever):
    """Those of ITEMS, and of one query each row of `queries`."""

    def __init__(self, queries):
        self.queries = queries

    def fit(self, train, valid, seed):
        """Nothing to learn."""

    def encode_queries(self, queries):
        return self.queries

    def encode_items(self):
        return ITEMS


def asked(vectors, k):
    n = len(vectors)
    queries = Queries(np.full(n, -1, np.int32), Ragged.empty(n), EXCLUDED, Ragged.empty(n))
    return Vectors(vectors).recommend(queries, k)


@pytest.mark.parametrize("k", [5, 60])
def test_items_with_a_zero_vector_are_not_returned(k):
    vectors = -np.abs(RNG.normal(size=(6, 8))).astype(np.float32)
    items, scores = asked(vectors, k)
    exact = vectors.astype(np.float64) @ ITEMS.T.astype(np.float64)
    assert ((exact > 0).sum(axis=1) < 20).all(), "else zeros would not stand in the lists"
    for row in range(6):
        able = [item for item in range(50) if ITEMS[item].any() and item not in EXCLUDED[row]]
        best = sorted(able, key=lambda item: -exact[row, item])[:k]
        assert items[row][: len(best)].tolist() == best and (items[row][len(best) :] == -1).all()
        np.testing.assert_allclose(scores[row][: len(best)], exact[row, best], rtol=1e-6)


def test_lists_without_such_items_are_those_of_the_product():
    vectors = np.tile(ITEMS[:1], (6, 1)) * 100
    found, expected = asked(vectors, 5), topk.inner_product(vectors, ITEMS, EXCLUDED, 5)
    assert all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))


def test_a_query_with_a_zero_vector_has_no_list():
    vectors = RNG.normal(size=(6, 8)).astype(np.float32)
    vectors[2] = 0
    items, scores = asked(vectors, 60)
    assert (items[2] == -1).all() and np.isneginf(scores[2]).all() and (items[[0, 5], 0] >= 0).all()


def test_where_all_item_vectors_are_zero_lists_are_empty(monkeypatch):
    monkeypatch.setattr(Vectors, "encode_items", lambda self: np.zeros_like(ITEMS))
    items, scores = asked(np.ones((6, 8), dtype=np.float32), 5)
    assert items.shape == (6, 5) and (items == -1).all() and np.isneginf(scores).all()
