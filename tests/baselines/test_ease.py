import numpy as np
import pytest

from retrieval_leaderboard.baselines import symmetric_inverse
from retrieval_leaderboard.baselines.ease import EASE
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import memory
from tests.baselines.logs import dense, interactions, queries


def weights(train, regularization):
    """Equation 8, in 64 bits."""
    taken = dense(train)
    inverse = np.linalg.inv(taken.T @ taken + regularization * np.eye(train.n_items))
    found = -inverse / np.diag(inverse)
    np.fill_diagonal(found, 0)
    return found


@pytest.mark.parametrize("regularization", [1.0, 50.0])
def test_weights_are_the_closed_form(regularization):
    train = interactions(np.random.default_rng(0), 200, 80)
    model = EASE(regularization=regularization)
    model.fit(train, None, 0)
    expected = weights(train, regularization)
    np.testing.assert_allclose(model.similarity_.toarray(), expected, atol=2e-6)
    _, scores = model.recommend(queries(train), 10)
    allowed = np.where(dense(train) > 0, -np.inf, dense(train) @ expected)
    asked = train.user_counts > 0
    np.testing.assert_allclose(scores[asked], -np.sort(-allowed)[asked, :10], atol=1e-5)


def test_the_largest_weights_in_size_are_kept_for_each_returned_item():
    train = interactions(np.random.default_rng(1), 200, 80)
    model = EASE(top_k=5)
    model.fit(train, None, 0)
    kept, every = model.similarity_.toarray(), weights(train, model.regularization)
    for item in range(train.n_items):
        largest = np.sort(np.abs(every[:, item]))[-5:]
        np.testing.assert_allclose(np.sort(np.abs(kept[:, item]))[-5:], largest, atol=2e-6)
        assert (kept[:, item] != 0).sum() <= 5


@pytest.mark.parametrize("n", [1, 7, symmetric_inverse.BLOCK, 2 * symmetric_inverse.BLOCK + 3])
def test_inverse_in_place_whatever_the_number_of_threads(n):
    rows = np.random.default_rng(2).normal(size=(n, n)).astype(np.float32)
    matrix = rows @ rows.T + n * np.eye(n, dtype=np.float32)
    results = []
    for threads in (1, 2):
        compute.configure("cpu", "fp32", threads)
        results.append(matrix.copy())
        symmetric_inverse.invert(results[-1], "inverse")
    np.testing.assert_allclose(results[0], np.linalg.inv(matrix.astype(np.float64)), atol=1e-5 / n**0.5)
    np.testing.assert_array_equal(*results)


def test_a_catalog_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    with pytest.raises(InputError, match="ease: 80 items need"):
        EASE().fit(interactions(np.random.default_rng(0), 200, 80), None, 0)


def test_contract():
    check_model(EASE)
