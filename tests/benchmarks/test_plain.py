"""The plain versions give what ours give."""

import numpy as np
import pytest

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.benchmarks import plain
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.ranking import topk
from tests.baselines.logs import interactions, queries


def random_rows(rng, n, n_items, most):
    return Ragged.from_rows([rng.permutation(n_items)[: rng.integers(0, most + 1)] for _ in range(n)])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(plain, "BLOCK", 64)


@pytest.fixture(scope="module")
def train():
    return interactions(np.random.default_rng(0), n_users=150, n_items=90)


def test_inner_product():
    rng = np.random.default_rng(0)
    asked, items = (rng.standard_normal((n, 16), dtype=np.float32) for n in (600, 200))
    exclude = random_rows(rng, 600, 200, 195)
    found, scores = plain.inner_product(asked, items, exclude, 20)
    expected = topk.inner_product(asked, items, exclude, 20)
    np.testing.assert_array_equal(found, expected[0])
    np.testing.assert_allclose(scores, expected[1], rtol=1e-4, atol=1e-5)
    assert (found == -1).any() and found.dtype == np.int32


def test_metrics():
    rng = np.random.default_rng(1)
    lists = np.argsort(rng.random((300, 40)), axis=1).astype(np.int32)[:, :20]
    lists[:100, 10:] = -1
    relevant = random_rows(rng, 300, 40, 30)
    for k in (5, 20, 25):
        expected = measure.per_query(lists, relevant, k)
        measured = plain.per_query(lists, relevant, k)
        assert measured.keys() <= expected.keys()
        for name, values in measured.items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-12)


def every_swing(train, model):
    return plain.swing(train, model, range(train.n_items)).T


@pytest.mark.parametrize(
    ("model", "similarity"),
    [
        (ItemCF(normalization=0.0), plain.item_cf),
        (ItemCF(normalization=0.0, shrinkage=2.5, target_exponent=0.1, top_k=5), plain.item_cf),
        (Swing(normalization=0.0), every_swing),
        (Swing(normalization=0.0, alpha=3.5, user_offset=5.0, top_k=5), every_swing),
    ],
)
def test_similarity(model, similarity, train):
    model.fit(train, None, 0)
    ours, measured = (matrix.toarray().T for matrix in (model.similarity_, similarity(train, model)))
    np.testing.assert_allclose(np.sort(measured), np.sort(ours), rtol=1e-5)
    # Of equal similarities any may be the last that is kept.
    last = np.sort(ours)[:, -model.resolve(train, None)["top_k"] :][:, :1]
    sure = ours > last * (1 + 1e-5)
    np.testing.assert_allclose(measured[sure], ours[sure], rtol=1e-5)


def test_neighbors(train):
    model, asked = ItemCF(top_k=5), queries(train)
    model.fit(train, None, 0)
    ours = topk.summed(asked.history, model.similarity_, asked.exclude, 20)
    found, scores = plain.neighbors(asked.history, model.similarity_, asked.exclude, 20)
    np.testing.assert_allclose(scores, ours[1], rtol=1e-5)
    # Of equal scores any may come first, and the last may be of several that are equal.
    steps = np.diff(np.maximum(scores, 0), axis=1, prepend=np.inf, append=scores[:, -1:])
    alone = (steps[:, :-1] < -1e-5) & (steps[:, 1:] < -1e-5)
    np.testing.assert_array_equal(found[alone], ours[0][alone])
    assert alone.mean() > 0.2 and (found == -1).any()
    np.testing.assert_array_equal(found == -1, ours[0] == -1)


def test_pairs_are_those_that_swing_intersects(train, monkeypatch):
    calls, intersect = [], np.intersect1d
    monkeypatch.setattr(plain.np, "intersect1d", lambda *a, **b: calls.append(1) or intersect(*a, **b))
    plain.swing(train, Swing(normalization=0.0), [7, 40, 5])
    assert len(calls) == plain.swing_pairs(train, np.array([7, 40, 5])) > 0
