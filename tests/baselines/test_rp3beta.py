import numpy as np
import pytest

from retrieval_leaderboard.baselines.rp3beta import RP3Beta
from retrieval_leaderboard.evaluation.testing import check_model
from tests.baselines.logs import dense, interactions, with_weights


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha, beta", [(1.0, 0.0), (0.6, 0.3), (1.7, 0.8)])
def test_the_formula(alpha, beta, weighted):
    train = interactions(np.random.default_rng(0))
    train = with_weights(train) if weighted else train
    model = RP3Beta(alpha=alpha, history_exponent=0.9, target_exponent=beta, top_k=1000)
    model.fit(train, None, 0)
    taken = dense(train)
    users, items = np.maximum(taken.sum(axis=1), 1e-9), np.maximum(taken.sum(axis=0), 1e-9)
    roots = np.sqrt(taken)
    expected = items[:, None] ** -0.9 * (roots.T @ (roots * users[:, None] ** -alpha)) * items**-beta
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.similarity_.toarray(), expected, rtol=1e-5)


@pytest.mark.parametrize("alpha, beta", [(1.0, 0.0), (0.6, 0.3), (1.7, 0.8)])
def test_one_exponent_is_the_walk_of_three_steps_and_p3alpha_without_beta(alpha, beta):
    train = interactions(np.random.default_rng(0))
    model = RP3Beta(alpha=alpha, history_exponent=alpha, target_exponent=beta, top_k=1000)
    model.fit(train, None, 0)
    taken = dense(train)
    to_items = (taken / np.maximum(taken.sum(axis=1, keepdims=True), 1)) ** alpha
    to_users = (taken.T / np.maximum(taken.T.sum(axis=1, keepdims=True), 1)) ** alpha
    walks = to_users @ to_items  # P³α
    if beta:
        walks /= np.maximum(taken.sum(axis=0), 1) ** beta
    np.fill_diagonal(walks, 0)
    np.testing.assert_allclose(model.similarity_.toarray(), walks, rtol=1e-5)


def test_contract():
    check_model(RP3Beta)
