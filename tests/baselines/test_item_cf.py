from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard import datasets
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support.errors import InputError
from tests.baselines.logs import dense, interactions, largest, queries

COSINE = {
    "user_exponent": 0, "target_exponent": 0.5, "shrinkage": 0.0, "amplification": 1.0, "recency": 0.0,
    "history_exponent": 0.5, "normalization": 0.0,
}  # fmt: skip


def reference(train, model):
    """The formula, with dense matrices; row = item of the history, column = item returned."""
    taken, model = dense(train), model.resolved(train, None)
    lengths = np.maximum(taken.sum(axis=1), 1)
    shared = taken.T @ (taken * lengths[:, None] ** -model.user_exponent)
    size = np.where(np.diag(shared) > 0, np.diag(shared), 1)
    norms = size[:, None] ** model.history_exponent * size**model.target_exponent
    similarity = (shared / (norms + model.shrinkage)) ** model.amplification
    np.fill_diagonal(similarity, 0)
    similarity = similarity.astype(np.float32)
    if model.prune_axis == "history":
        kept = largest(similarity, model.top_k)
    else:
        kept = largest(similarity.T, model.top_k).T
    sums = kept.sum(axis=1, keepdims=True)
    return kept / np.where(sums > 0, sums, 1) ** model.normalization


@pytest.mark.parametrize(
    "model",
    [
        ItemCF(target_exponent=0.25),
        ItemCF(user_exponent=0, history_exponent=0.5, target_exponent=0.5, top_k=4),
        ItemCF(user_exponent=1.0, history_exponent=0.5, target_exponent=0.2, top_k=4, prune_axis="history"),
        ItemCF(user_exponent=1.3, history_exponent=0.7, target_exponent=0.1, shrinkage=2.5, top_k=7),
        ItemCF(target_exponent=0.25, amplification=1.7, top_k=4),
        ItemCF(target_exponent=0.25, normalization=0.4, top_k=4),
        ItemCF(target_exponent=0.25, normalization=1.0, prune_axis="history", top_k=4),
    ],
)
def test_similarity_is_the_formula(model):
    train = interactions(np.random.default_rng(0))
    model.fit(train, None, 0)
    np.testing.assert_allclose(model.similarity_.toarray(), reference(train, model), rtol=1e-6)
    assert model.similarity_.dtype == np.float32
    assert model.similarity_.indices.dtype == np.int32


def test_plain_cosine_ranks_as_implicit():
    implicit = pytest.importorskip("implicit")
    from scipy.sparse import csr_matrix

    train = interactions(np.random.default_rng(1), 300, 120)
    model = ItemCF(top_k=1000, **COSINE)
    model.fit(train, None, 0)
    asked = queries(train).take(np.flatnonzero(train.user_counts))
    theirs = implicit.nearest_neighbours.CosineRecommender(K=1000, num_threads=1)
    taken = csr_matrix(dense(train))
    theirs.fit(taken, show_progress=False)
    _, scores = theirs.recommend(asked.user, taken[asked.user], N=10, filter_already_liked_items=True)
    _, ours = model.recommend(asked, 10)
    np.testing.assert_allclose(np.maximum(ours, 0), np.maximum(scores, 0), rtol=1e-5)


def test_last_n_uses_the_end_of_the_history():
    train = interactions(np.random.default_rng(2))
    model = ItemCF(last_n=1, top_k=1000)
    model.fit(train, None, 0)
    query = queries(train).take(np.array([10]))
    items, scores = model.recommend(query, 5)
    row = model.similarity_.toarray()[query.history[0][-1]]
    assert not set(items[0]) & set(query.history[0])
    np.testing.assert_array_equal(row[items[0]], scores[0])


def test_recency_counts_from_the_end_where_the_data_is_in_time_order():
    train = interactions(np.random.default_rng(2))
    asked = queries(train).take(np.array([10]))
    history = asked.history[0]
    for ordered, decay in ((True, 1.5), (False, 0.0)):
        model = ItemCF(recency=1.5, top_k=1000)
        model.fit(replace(train, ordered=ordered), None, 0)
        items, scores = model.recommend(asked, 5)
        weights = np.arange(len(history), 0, -1.0) ** -decay
        expected = weights @ model.similarity_.toarray()[history]
        np.testing.assert_allclose(expected[items[0]], scores[0], rtol=1e-6)


@pytest.mark.parametrize(
    "key, value",
    [
        ("top_k", 0),
        ("last_n", -1),
        ("normalization", -1),
        ("target_exponent", -1.0),
        ("shrinkage", -1),
        ("amplification", 0),
    ],
)
def test_settings_without_a_meaning_are_refused(key, value):
    with pytest.raises(InputError, match=f"item_cf.{key} is {value}: give"):
        ItemCF(**{key: value})


def test_contract():
    check_model(ItemCF)


def test_published_number_of_plain_cosine_on_gowalla(data_dir):
    data = datasets.load("gowalla", data_dir)
    model = ItemCF(top_k=200, **COSINE)
    model.fit(data.train_valid, None, 0)
    items, _ = model.recommend(data.test, 20)
    reached = measure.mean(measure.per_query(items, data.test.relevant, 20))
    assert reached["recall"] == pytest.approx(0.1278, abs=0.0003)
    assert reached["ndcg"] == pytest.approx(0.0944, abs=0.0003)
