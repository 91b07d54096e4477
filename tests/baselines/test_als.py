from dataclasses import replace

import numpy as np
import pytest

from baselines import als
from baselines.als import ALS
from datasets.ragged import Ragged
from evaluation import contract
from support.errors import InputError
from tests.baselines.logs import dense, interactions, queries


@pytest.fixture(scope="module")
def train():
    return interactions(np.random.default_rng(0))


@pytest.fixture(scope="module")
def model(train):
    fitted = ALS(factors=8, regularization=0.5, alpha=6, iterations=10)
    fitted.fit(train, None, 0)
    return fitted


def solved(model, history):
    """The weighted least squares of the paper's equation 4, for one history."""
    items = model.encode_items().astype(np.float64)
    confidence = np.ones(len(items))
    confidence[history] = model.alpha
    left = items.T @ (confidence[:, None] * items) + model.regularization * np.eye(model.factors)
    return np.linalg.solve(left, items[history].sum(axis=0) * model.alpha)


def test_a_known_history_gets_the_trained_vector(train, model):
    vectors = model.encode_queries(queries(train))
    np.testing.assert_array_equal(vectors, model.user_factors_)


def test_another_history_is_folded_in(train, model):
    histories = [[1, 2, 1, 3], train.by_user[10][:-1], train.by_user[11], [], [7]]
    asked = replace(
        queries(train).take(np.arange(5)),
        user=np.array([0, 10, -1, 12, -1], np.int32),
        history=Ragged.from_rows([np.asarray(row, np.int32) for row in histories]),
    )
    histories[0] = [1, 2, 3]
    expected = np.array([solved(model, np.asarray(row, np.int64)) for row in histories])
    np.testing.assert_allclose(model.encode_queries(asked), expected, rtol=1e-3, atol=1e-5)


def test_training_lowers_the_weighted_loss(train):
    taken = dense(train)

    def loss(iterations):
        fitted = ALS(factors=8, regularization=0.5, alpha=6, iterations=iterations)
        fitted.fit(train, None, 0)
        users, items = fitted.user_factors_, fitted.encode_items()
        error = np.where(taken > 0, fitted.alpha, 1) * (taken - users @ items.T) ** 2
        return error.sum() + fitted.regularization * ((users**2).sum() + (items**2).sum())

    losses = [loss(iterations) for iterations in (1, 3, 10)]
    assert losses[0] > losses[1] > losses[2]


def test_an_empty_history_gets_nothing(train, model):
    asked = queries(train).take(np.array([3, 4]))
    assert len(asked.history[0]) == 0
    items, scores = model.recommend(asked, 5)
    assert (items[0] == -1).all()
    assert np.isneginf(scores[0]).all()
    assert (items[1] >= 0).all()


@pytest.mark.parametrize(
    "key, value", [("factors", -1), ("iterations", 0), ("alpha", 0), ("regularization", -1)]
)
def test_settings_without_a_meaning_are_refused(key, value):
    with pytest.raises(InputError, match=f"als.{key} must be"):
        ALS(**{key: value})


def test_contract():
    contract.check(ALS, {})


@pytest.mark.parametrize(
    "n_items, factors", [(1, 32), (1_682, 32), (3_706, 64), (40_981, 128), (900_000, 128)]
)
def test_dimensions_follow_from_the_catalogue(n_items, factors):
    assert als.fitting(n_items) == factors
