from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines import als, fold_in
from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support import spark as spark_session
from retrieval_leaderboard.support.errors import InputError
from tests.baselines.logs import dense, interactions, queries, with_weights


@pytest.fixture(scope="module")
def train():
    return interactions(np.random.default_rng(0))


@pytest.fixture(scope="module")
def model(train):
    fitted = ALS(factors=8, regularization=0.5, alpha=6, iterations=10)
    fitted.fit(train, None, 0)
    return fitted


def solution(others, taken, model):
    """The weighted least squares of the paper's equation 4, for the codes `taken` of `others`."""
    others = others.astype(np.float64)
    confidence = np.ones(len(others))
    confidence[taken] = model.alpha
    left = others.T @ (confidence[:, None] * others) + model.regularization * np.eye(others.shape[1])
    return np.linalg.solve(left, others[taken].sum(axis=0) * model.alpha)


def solved(model, history):
    return solution(model.encode_items(), history, model)


def test_every_history_gets_its_exact_solution(train, model):
    asked = queries(train)
    lengths = asked.history.lengths
    assert model.encode_items().shape == (train.n_items, model.factors)
    assert (lengths == 0).any() and (lengths == model.factors).any()
    assert 0 < lengths[lengths > 0].min() < model.factors < lengths.max()
    expected = np.array([solved(model, row) for row in (asked.history[at] for at in range(len(asked)))])
    some = lengths > 0
    np.testing.assert_allclose(model.encode_queries(asked)[some], expected[some], rtol=1e-5, atol=1e-6)


def test_an_item_that_stands_twice_counts_once(train, model):
    asked = queries(train).take(np.arange(2))
    twice, once = (
        model.encode_queries(replace(asked, history=Ragged.from_rows([row, [7]])))
        for row in ([1, 2, 1, 3], [1, 2, 3])
    )
    np.testing.assert_array_equal(twice, once)


def test_a_history_gets_the_same_whoever_asks(train, model):
    known = queries(train)
    vectors = model.encode_queries(known)
    strangers = replace(known, user=np.full(len(known), -1, np.int32))
    np.testing.assert_array_equal(model.encode_queries(strangers), vectors)
    others = replace(known, user=np.roll(known.user, 1))
    np.testing.assert_array_equal(model.encode_queries(others), vectors)
    for at in (0, 10):  # Alone as among others.
        alone = model.encode_queries(strangers.take(np.array([at])))
        np.testing.assert_allclose(alone[0], vectors[at], rtol=1e-6)


def test_the_number_of_threads_changes_nothing(train, model, monkeypatch):
    monkeypatch.setattr(fold_in, "HISTORIES_A_BLOCK", 7)
    vectors = model.encode_queries(queries(train))
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=3))
    np.testing.assert_array_equal(model.encode_queries(queries(train)), vectors)


def test_a_taken_item_may_weigh_less_than_one_not_taken(train):
    fitted = ALS(factors=8, regularization=0.5, alpha=0.3, iterations=3)
    fitted.fit(train, None, 0)
    expected = solved(fitted, train.by_user[0])
    np.testing.assert_allclose(fitted.encode_queries(queries(train))[0], expected, rtol=1e-5, atol=1e-6)


def test_training_lowers_the_weighted_loss(train):
    taken = dense(train)

    def loss(iterations):
        fitted = ALS(factors=8, regularization=0.5, alpha=6, iterations=iterations)
        fitted.fit(train, None, 0)
        users, items = fitted.encode_queries(queries(train)), fitted.encode_items()
        error = np.where(taken > 0, fitted.alpha, 1) * (taken - users @ items.T) ** 2
        return error.sum() + fitted.regularization * ((users**2).sum() + (items**2).sum())

    losses = [loss(iterations) for iterations in (1, 3, 10)]
    assert losses[0] > losses[1] > losses[2]


def test_in_the_end_items_solve_for_their_users_as_users_for_their_items(train):
    fitted = ALS(factors=3, regularization=2.0, alpha=6, iterations=1000)
    fitted.fit(train, None, 0)
    users, taken = fitted.encode_queries(queries(train)), dense(train)
    users[~taken.any(axis=1)] = 0  # In place of the mean, which nothing was learned from.
    expected = [solution(users, np.flatnonzero(column), fitted) for column in taken.T]
    np.testing.assert_allclose(fitted.encode_items(), expected, atol=1e-5)


def test_a_second_fit_forgets_the_first(train):
    again, once = (ALS(factors=8, iterations=1) for _ in range(2))
    again.fit(train, None, 0)
    again.encode_queries(queries(train))
    for each in (again, once):
        each.fit(train, None, 1)
    vectors = [each.encode_queries(queries(train)) for each in (again, once)]
    np.testing.assert_array_equal(*vectors)


def test_another_seed_gives_another_model(train):
    def items(seed):
        fitted = ALS(factors=8, iterations=1)
        fitted.fit(train, None, seed)
        return fitted.encode_items()

    assert not np.allclose(items(0), items(1), rtol=1e-2)


def test_an_empty_history_gets_what_the_mean_user_does(train, model):
    asked = queries(train).take(np.array([3, 4]))
    assert len(asked.history[0]) == 0
    assert model.knows(asked).tolist() == [False, True]
    vectors = model.encode_queries(queries(train))
    known = model.knows(queries(train))
    mean = vectors[known].mean(axis=0)
    direction = vectors[3] / np.linalg.norm(vectors[3])
    assert direction @ mean / np.linalg.norm(mean) > 0.99
    popular = np.argsort(-train.item_counts)[:10]
    assert len(np.intersect1d(model.recommend(asked, 5)[0][0], popular)) >= 4


@pytest.mark.parametrize(
    "key, value", [("factors", 0), ("iterations", 0), ("alpha", 0), ("regularization", -1)]
)
def test_settings_without_a_meaning_are_refused(key, value):
    with pytest.raises(InputError, match=f"als.{key} is {value}: give"):
        ALS(**{key: value})


def test_contract():
    check_model(ALS)


@pytest.mark.parametrize(
    "n_items, factors", [(1, 32), (1_682, 32), (3_706, 64), (40_981, 128), (900_000, 128)]
)
def test_dimensions_follow_from_the_catalog(n_items, factors):
    assert als.factors_for(n_items) == factors


@pytest.mark.parametrize("seen, expected", [(True, (32, 10.0, 30.0)), (False, (256, 100.0, 60.0))])
def test_settings_follow_from_whether_seen_items_may_be_asked_for(train, seen, expected):
    asked = queries(train)
    valid = replace(asked, exclude=Ragged.empty(len(asked))) if seen else asked
    found = ALS().resolve(train, valid)
    assert (found["factors"], found["regularization"], found["alpha"]) == expected
    by_rule, given = ALS(iterations=1), ALS(*expected, iterations=1)
    for each in (by_rule, given):
        each.fit(train, valid, 0)
    np.testing.assert_array_equal(by_rule.encode_queries(asked), given.encode_queries(asked))
    assert ALS(factors=8).resolve(train, valid)["factors"] == 8


@pytest.mark.slow
def test_spark_solves_what_is_solved_here(spark, train):
    """With hardly any λ both have one objective; so many steps come to solutions of the same quality."""
    said = {"factors": 8, "regularization": 1e-3, "alpha": 6, "iterations": 12}
    here, there = ALS(**said), ALS(**said, solver="spark")
    for fitted in (here, there):
        fitted.fit(train, None, 0)
    assert there.item_factors_.shape == here.item_factors_.shape and there.item_factors_.dtype == np.float32
    np.testing.assert_array_equal(there.item_factors_[5], 0)
    assert loss(there, train) == pytest.approx(loss(here, train), rel=0.05)
    assert np.abs(there.mean_user_).sum() > 0


@pytest.mark.slow
def test_on_spark_weights_count_and_the_seed_decides(spark, train):
    weighted = with_weights(train)
    said = {"factors": 4, "regularization": 0.5, "alpha": 12, "iterations": 1, "solver": "spark"}
    vectors = []
    for part, seed in ((train, 0), (train, 0), (train, 1), (weighted, 0)):
        fitted = ALS(**said)
        fitted.fit(part, None, seed)
        vectors.append(fitted.encode_items())
    np.testing.assert_allclose(vectors[1], vectors[0], rtol=1e-4, atol=1e-5)
    assert not np.allclose(vectors[2], vectors[0], atol=1e-3)
    assert not np.allclose(vectors[3], vectors[0], atol=1e-3)


def loss(model, train):
    """Σ c (p − x·y)² of the histories' exact vectors, without λ."""
    taken = dense(train) > 0
    errors = (taken - model.encode_queries(queries(train)) @ model.encode_items().T) ** 2
    return (np.where(taken, model.alpha, 1) * errors)[taken.any(axis=1)].sum()


@pytest.mark.parametrize("alpha, weights", [(1.0, None), (3.0, (0.5, 0.05))])
def test_a_confidence_of_one_or_less_is_refused_on_spark(train, alpha, weights):
    some = None if weights is None else np.resize(np.array(weights, np.float32), len(train))
    with pytest.raises(InputError, match=r"must be more than 1, and .* occurs; raise als\.alpha"):
        ALS(alpha=alpha, factors=4, solver="spark").fit(replace(train, weight=some), None, 0)


def test_without_spark_its_solver_is_refused_in_one_sentence(train, monkeypatch):
    monkeypatch.setattr(spark_session, "available", lambda: "Spark needs pyspark, which is not installed")
    with pytest.raises(InputError, match="Spark needs pyspark"):
        ALS(factors=4, regularization=1.0, alpha=6, solver="spark").fit(train, None, 0)


def test_runs_by_the_solver_here_are_known_as_before():
    assert "solver" not in settings.defaults(ALS) and "solver" in settings.documentation(ALS)
    assert settings.resolve(ALS, {"solver": "spark"}, "--set")["solver"] == "spark"
    assert "solver" not in settings.resolve(ALS, {"solver": "local"}, "--set")
    with pytest.raises(InputError, match="did you mean 'spark'"):
        settings.resolve(ALS, {"solver": "sparc"}, "--set")
