import numpy as np
import pytest

from retrieval_leaderboard.baselines.user_knn import UserKNN
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties
from retrieval_leaderboard.evaluation.testing import check_model
from tests.baselines.logs import dense, interactions, queries, with_weights


def scores(train, model):
    """float64[n_users, n_items] by the formula."""
    roots, taken = np.sqrt(dense(train)), dense(train) > 0
    popularity, lengths = (np.maximum(dense(train).sum(axis=axis), 1e-9) for axis in (0, 1))
    place = taken[:, ::-1].cumsum(axis=1)[:, ::-1]  # 1 for the last item of a row
    recent = np.where(taken, np.maximum(place, 1.0) ** -model.recency, 0)
    shared = (recent * popularity**-model.item_exponent) @ roots.T
    norms = np.sqrt(np.maximum(taken.sum(axis=1), 1))[:, None] * lengths**model.user_exponent
    similar = shared / (norms + model.shrinkage * train.mean_weight**model.user_exponent)
    similar = similar**model.amplification * (shared > 0)
    np.fill_diagonal(similar, 0)
    similar = similar.astype(np.float32).astype(np.float64)
    found = np.zeros(taken.shape)
    for user, row in enumerate(similar):
        near = sorted(np.flatnonzero(row), key=lambda other: (-row[other], ties.rank(int(other))))
        near = near[: model.top_k]
        found[user] = row[near] @ roots[near]
    return found * popularity ** -model.resolve(train, None)["target_exponent"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "model",
    [
        UserKNN(top_k=1000, item_exponent=0, recency=0.0, shrinkage=0.0),
        UserKNN(top_k=7),
        UserKNN(top_k=20, item_exponent=0.8, user_exponent=0.2, target_exponent=0.4, amplification=2.0),
    ],
)
def test_scores_are_the_formula(model, weighted):
    train = interactions(np.random.default_rng(0), 120, 60)
    train = with_weights(train) if weighted else train
    model.fit(train, None, 0)
    items, found = model.recommend(queries(train), 10)
    expected = np.where(dense(train) > 0, 0, scores(train, model))
    best = -np.sort(-expected)[:, :10]
    np.testing.assert_allclose(np.where(found > 0, found, 0), best, rtol=1e-5)
    assert (items >= 0).all()


def test_plain_cosine():
    train = interactions(np.random.default_rng(1), 150, 60)
    model = UserKNN(top_k=1000, item_exponent=0, recency=0.0, shrinkage=0.0)
    model.fit(train, None, 0)
    taken = dense(train)
    unit = taken / np.maximum(np.linalg.norm(taken, axis=1, keepdims=True), 1)
    similar = unit @ unit.T
    np.fill_diagonal(similar, 0)
    items, found = model.recommend(queries(train), 5)
    at = found > 0
    rows = np.repeat(np.arange(len(items))[:, None], 5, axis=1)
    np.testing.assert_allclose(found[at], (similar @ taken)[rows[at], items[at]], rtol=1e-5)


@pytest.mark.parametrize("settings", [{"recency": 1000.0}, {"recency": 130.0}, {"item_exponent": 400.0}])
def test_weights_too_small_to_be_told_from_none_still_count_a_user_once(settings):
    train = interactions(np.random.default_rng(0), 120, 60)
    model = UserKNN(**settings)
    model.fit(train, None, 0)
    items, _ = model.recommend(queries(train), 10)
    allowed = dense(train) == 0
    for user, row in enumerate(items):
        found = row[row >= 0]
        assert allowed[user, found].all() and len(set(found)) == len(found)


def test_it_knows_whom_another_user_shares_an_item_with():
    taken = Ragged.from_rows([[0, 1], [1, 2], [3], [4]])
    values, _ = taken.compact()
    train = Interactions(taken.rows().astype(np.int32), values, None, 4, 6)
    model = UserKNN()
    model.fit(train, None, 0)
    asked = [(0, [0, 1]), (0, [0]), (-1, [0]), (2, [3]), (-1, [3]), (3, []), (-1, [5]), (1, [5, 2]), (1, [0])]
    users, histories = zip(*asked, strict=True)
    history, nothing = Ragged.from_rows([np.array(each, np.int32) for each in histories]), Ragged.empty(9)
    now = Queries(np.array(users, np.int32), history, nothing, nothing)
    expected = [True, False, True, False, True, False, False, False, True]
    assert model.knows(now).tolist() == expected
    items, scores = model.recommend(now, 6)
    assert ((scores > 0).any(axis=1) == expected).all()
    # Items 0 and 2 to 4 were taken once or twice; what no neighbor took follows in the order of `global_hot`.
    assert (items[~np.array(expected), :5] == model.popular_).all()


def test_contract():
    check_model(UserKNN)
