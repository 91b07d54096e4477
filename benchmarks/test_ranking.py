"""Exact top-20 and the metrics of its lists, beside the bare matrix product."""

import numpy as np
import pytest
from implicit import nearest_neighbours

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.metrics.slices import slices
from retrieval_leaderboard.evaluation.ranking import topk

BLOCK = 256


@pytest.fixture(scope="module")
def lists(vectors, gowalla):
    return topk.inner_product(*vectors, gowalla.test.exclude, 20)[0]


@pytest.mark.benchmark(group="top-20 of gowalla")
def test_bare_product(timed, vectors):
    queries, items = vectors
    buffer = np.empty((BLOCK, len(items)), dtype=np.float32)

    def product():
        for start in range(0, len(queries), BLOCK):
            block = queries[start : start + BLOCK]
            np.matmul(block, items.T, out=buffer[: len(block)])

    timed(product)


@pytest.mark.benchmark(group="top-20 of gowalla")
def test_inner_product(timed, vectors, gowalla):
    timed(topk.inner_product, *vectors, gowalla.test.exclude, 20)


@pytest.mark.benchmark(group="lists of gowalla")
def test_metrics(timed, lists, gowalla):
    timed(measure.per_query, lists, gowalla.test.relevant, 20)


@pytest.mark.benchmark(group="lists of gowalla")
def test_slices(timed, lists, gowalla):
    timed(slices, lists, gowalla.test, gowalla.train_valid, 20)


@pytest.mark.benchmark(group="item-to-item top-20 of gowalla")
def test_neighbors(timed, gowalla):
    model = ItemCF()
    model.fit(gowalla.train_valid, None, 0)
    timed(model.recommend, gowalla.test, 20)


@pytest.mark.benchmark(group="item-to-item top-20 of gowalla")
def test_implicit_recommend(timed, taken):
    model = nearest_neighbours.CosineRecommender(K=200)
    model.fit(taken, show_progress=False)
    timed(lambda: model.recommend(np.arange(taken.shape[0]), taken, N=20))
