"""Classical models on interactions with weights: their formulas by slow references, and weights of 1."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines import swing_blocks
from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.baselines.ease import EASE
from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.baselines.history_cap import sample
from retrieval_leaderboard.baselines.ials import IALS
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.popular_window import PopularWindow
from retrieval_leaderboard.baselines.rp3beta import RP3Beta
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.baselines.user_knn import UserKNN
from retrieval_leaderboard.datasets.ragged import Ragged
from tests.baselines.logs import dense, interactions, queries, with_weights


def weighted(seed=0, **more):
    return with_weights(interactions(np.random.default_rng(seed), **more), seed)


def fitted(model, train):
    model.fit(train, None, 0)
    return model


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.3])
def test_item_cf_is_the_formula(exponent):
    train = weighted()
    model = ItemCF(user_exponent=exponent, normalization=0, top_k=1000, amplification=1.0)
    taken = dense(train)
    lengths = np.where(taken.any(axis=1), taken.sum(axis=1), 1)
    roots = np.sqrt(taken)
    shared = roots.T @ (roots * lengths[:, None] ** -exponent)
    size = np.where(np.diag(shared) > 0, np.diag(shared), 1)
    target = model.resolve(train, None)["target_exponent"]
    unit = train.mean_weight ** ((1 - exponent) * (model.history_exponent + target))
    expected = shared / (size[:, None] ** model.history_exponent * size**target + unit * model.shrinkage)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(fitted(model, train).similarity_.toarray(), expected, rtol=1e-5)


def swing_reference(train, model, users_of):
    """The docstring, pair by pair."""
    w = dense(train)
    sets = [set(np.flatnonzero(row)) for row in w]
    activity = [(max(row.sum(), 0) if row.any() else 1) + model.user_offset for row in w]
    user = np.array(activity) ** -model.user_exponent
    size = np.where(w.any(axis=0), w.sum(axis=0), 1)
    found = np.zeros((train.n_items, train.n_items))
    for i in range(train.n_items):
        for u in users_of[i]:
            for v in users_of[i]:
                for j in (sets[u] & sets[v]) - {i} if u != v else ():
                    pair = np.sqrt(w[u, i] * w[u, j] * w[v, i] * w[v, j])
                    found[i, j] += user[u] * user[v] * pair / (model.alpha + len(sets[u] & sets[v]))
    target = model.resolve(train, None)["target_exponent"]
    return found * size[:, None] ** -model.history_exponent * size**-target


@pytest.mark.parametrize("table_users", [0, 1000])
def test_swing_is_the_formula(monkeypatch, table_users):
    monkeypatch.setattr(swing_blocks, "TABLE_USERS", table_users)
    train = weighted()
    model = fitted(Swing(normalization=0, top_k=1000, user_offset=2.0, user_exponent=0.7), train)
    users_of = [np.flatnonzero(column) for column in dense(train).T]
    expected = swing_reference(train, model, users_of)
    np.testing.assert_allclose(model.similarity_.toarray(), expected, rtol=1e-5)


def test_swing_on_a_sample_of_users_keeps_their_weights():
    train = weighted()
    model = Swing(normalization=0, max_users_per_item=4, prune_axis="history", top_k=1000)
    users = Ragged.from_rows([np.flatnonzero(column) for column in dense(train).T])
    sampled, _ = sample(users, 4, np.random.default_rng(0))
    expected = swing_reference(train, model, sampled)
    np.testing.assert_allclose(fitted(model, train).similarity_.toarray(), expected, rtol=1e-5)


def test_als_minimizes_its_weighted_loss():
    train = weighted(n_users=40, n_items=30)
    alpha, penalty = 3.0, 0.5
    model = fitted(ALS(factors=4, alpha=alpha, regularization=penalty, iterations=200), train)
    y = model.encode_items().astype(np.float64)
    taken = dense(train) > 0
    confidence = np.where(taken, alpha * dense(train) / train.mean_weight, 1.0)

    def users_for(items):
        rows = zip(confidence, taken, strict=True)
        return np.array(
            [
                np.linalg.solve(items.T @ (c[:, None] * items) + penalty * np.eye(4), items.T @ (c * p))
                for c, p in rows
            ]
        )

    def loss(items):
        users = users_for(items)
        errors = confidence * (taken - users @ items.T) ** 2
        return errors.sum() + penalty * ((users**2).sum() + (items**2).sum())

    unweighted = fitted(
        ALS(factors=4, alpha=alpha, regularization=penalty, iterations=200), replace(train, weight=None)
    )
    assert loss(y) < loss(unweighted.encode_items().astype(np.float64))
    step = np.random.default_rng(0).normal(size=y.shape)
    slopes = (loss(y + 1e-4 * step) - loss(y - 1e-4 * step)) / 2e-4
    assert abs(slopes) < 1e-2 * loss(y)


@pytest.mark.parametrize("half_life", [0.0, 200.0])
def test_global_hot_sums_weights(half_life):
    train = weighted(times=True)
    train = replace(train, last_timestamp=train.timestamp + np.arange(len(train)) % 3 * 86_400 * 40)
    model = fitted(GlobalHot(half_life_days=half_life), train)
    age = (train.last_timestamp.max() - train.last_timestamp) / 86_400
    each = train.weight * (0.5 ** (age / half_life) if half_life else 1)
    sums = np.zeros(train.n_items)
    np.add.at(sums, train.item, each)
    np.testing.assert_allclose(model.scores_, np.sort(sums)[::-1][: len(model.scores_)], rtol=1e-6)
    np.testing.assert_allclose(sums[model.order_], model.scores_, rtol=1e-6)


MODELS = [
    ItemCF(),
    Swing(),
    Swing(max_users_per_item=3),
    ALS(factors=4),
    GlobalHot(),
    GlobalHot(half_life_days=9),
    PopularWindow(days=90),
    RP3Beta(),
    UserKNN(),
    IALS(factors=4),
    EASE(),
    EASE(candidates=9),
]


@pytest.mark.parametrize("model", [*MODELS, ItemCF(user_exponent=0.2, shrinkage=10.0)])
@pytest.mark.parametrize("unit", [2.0**-14, 2.0**12])
def test_the_unit_of_weights_changes_no_list(model, unit):
    train = weighted(times=True)
    other = replace(train, weight=train.weight * np.float32(unit))
    plain, same = (fitted(replace(model), each).recommend(queries(train), 10)[0] for each in (train, other))
    np.testing.assert_array_equal(plain, same)


@pytest.mark.parametrize("model", MODELS)
def test_weights_of_one_change_no_bit(model):
    train = interactions(np.random.default_rng(0), times=True)
    ones = replace(train, weight=np.ones(len(train), np.float32))
    plain, same = (fitted(replace(model), each).recommend(queries(train), 10) for each in (train, ones))
    np.testing.assert_array_equal(plain[0], same[0])
    np.testing.assert_array_equal(plain[1], same[1])


@pytest.mark.filterwarnings("ignore:overflow")
def test_weights_too_small_for_a_number_above_0_make_no_item_twice():
    train = weighted()
    least = np.where(train.weight < 1, np.float32(1e-38), train.weight)
    model = fitted(
        ItemCF(user_exponent=600, top_k=1000, shrinkage=0, normalization=0), replace(train, weight=least)
    )
    rows = model.similarity_.copy()
    rows.sum_duplicates()
    assert rows.nnz == model.similarity_.nnz > 0
