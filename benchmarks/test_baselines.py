"""Fits of the classical models, beside implicit's."""

import implicit
import pytest

from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing


def fit(model, train):
    return lambda: model.fit(train, None, 0)


@pytest.mark.benchmark(group="item_cf on gowalla, K = 200")
def test_item_cf(timed, gowalla):
    timed(fit(ItemCF(top_k=200), gowalla.train_valid))


@pytest.mark.benchmark(group="item_cf on gowalla, K = 200")
def test_implicit_cosine(timed, taken):
    timed(lambda: implicit.nearest_neighbours.CosineRecommender(K=200).fit(taken, show_progress=False))


@pytest.mark.benchmark(group="als on gowalla, 64 factors, 5 iterations")
def test_als(timed, gowalla):
    timed(fit(ALS(factors=64, iterations=5), gowalla.train_valid))


@pytest.mark.benchmark(group="als on gowalla, 64 factors, 5 iterations")
def test_implicit_als(timed, taken):
    timed(lambda: implicit.als.AlternatingLeastSquares(64, iterations=5).fit(taken, show_progress=False))


@pytest.mark.benchmark(group="swing")
def test_swing_gowalla(timed, gowalla):
    timed(fit(Swing(), gowalla.train_valid))


@pytest.mark.benchmark(group="swing")
def test_swing_ml_1m(benchmark, ml_1m):
    benchmark.pedantic(fit(Swing(), ml_1m.train_valid), rounds=1)
