import numpy as np
import pytest

from retrieval_leaderboard.baselines.ials import IALS
from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support import compute
from tests.baselines.logs import dense, interactions, queries, with_weights


def solved(taken, vectors, model):
    """Each row's exact solution, in 64 bits; `taken` [q, n] the weights, of mean 1, 0 where there is no
    interaction.
    """
    gram = model.unobserved_weight * vectors.T @ vectors
    found = np.zeros((len(taken), vectors.shape[1]))
    for at, row in enumerate(taken):
        strength = (row.sum() + model.unobserved_weight * len(row)) ** model.frequency_exponent
        own = vectors.T @ (row[:, None] * vectors)
        system = own + gram + model.regularization * strength * np.eye(vectors.shape[1])
        found[at] = np.linalg.solve(system, row @ vectors)
    return found


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("factors", [4, 40])
@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_each_half_is_the_exact_solution(factors, exponent, weighted):
    train = interactions(np.random.default_rng(0), 60, 90)
    train = with_weights(train) if weighted else train
    model = IALS(factors=factors, frequency_exponent=exponent, unobserved_weight=0.3, iterations=3)
    model.fit(train, None, 0)
    items = np.random.default_rng(0).normal(0, 0.1 / factors**0.5, (90, factors))
    taken = dense(train) / train.mean_weight
    for _ in range(3):
        users = solved(taken, items, model)
        items = solved(taken.T, users, model)
    np.testing.assert_allclose(model.encode_items(), items, atol=2e-4 * np.abs(items).max())
    expected = solved(dense(train) > 0, model.encode_items().astype(np.float64), model)
    expected[train.user_counts == 0] = users[train.user_counts > 0].mean(axis=0)
    found = model.encode_queries(queries(train))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_an_unknown_history_gets_what_the_mean_user_does():
    train = interactions(np.random.default_rng(3), 120, 80)
    model = IALS(factors=8)
    model.fit(train, None, 0)
    nothing = Ragged.empty(2)
    # Item 5 is one that nobody took.
    history = Ragged.from_rows([np.array([], np.int32), np.array([5], np.int32)])
    asked = Queries(np.full(2, -1, np.int32), history, nothing, nothing)
    assert not model.knows(asked).any()
    found = model.recommend(asked, 5)[0]
    users = model.encode_queries(queries(train))[train.user_counts > 0]
    means = users.mean(axis=0) @ model.encode_items().T
    assert (found == np.argsort(-means)[:5]).all()
    popular = np.argsort(-train.item_counts)[:10]
    assert len(np.intersect1d(found[0], popular)) >= 4


def test_the_loss_falls():
    train = interactions(np.random.default_rng(1), 120, 80)
    taken = dense(train)

    def loss(iterations):
        model = IALS(factors=8, iterations=iterations, regularization=0.01)
        model.fit(train, None, 0)
        items = model.encode_items().astype(np.float64)
        users = model.encode_queries(queries(train)).astype(np.float64)
        scores = users @ items.T
        weights = [
            (taken.sum(axis=axis) + model.unobserved_weight * taken.shape[axis]) * (rows**2).sum(axis=1)
            for axis, rows in ((1, users), (0, items))
        ]
        kept = taken * (1 - scores) ** 2 + model.unobserved_weight * scores**2
        return kept.sum() + model.regularization * sum(each.sum() for each in weights)

    losses = [loss(iterations) for iterations in (1, 2, 4, 8, 16)]
    assert losses == sorted(losses, reverse=True)


def test_the_same_bits_on_any_number_of_threads():
    train = interactions(np.random.default_rng(2), 400, 300)
    fitted = []
    for threads in (1, 2):
        compute.configure("cpu", "fp32", threads)
        model = IALS(factors=16, iterations=2)
        model.fit(train, None, 0)
        fitted.append(model.encode_items())
    np.testing.assert_array_equal(*fitted)


def test_contract():
    check_model(IALS)
