from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines import ease, symmetric_inverse
from retrieval_leaderboard.baselines.ease import EASE
from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import memory
from tests.baselines.logs import dense, interactions, queries, with_weights


def weights(train, regularization):
    """Equation 8, in 64 bits."""
    taken = np.sqrt(dense(train))
    inverse = np.linalg.inv(taken.T @ taken + regularization * np.eye(train.n_items))
    found = -inverse / np.diag(inverse)
    np.fill_diagonal(found, 0)
    return found


def restricted(train, regularization, candidates):
    """A ridge regression of each item on those of largest cosine, in 64 bits."""
    taken = np.sqrt(dense(train))
    gram = taken.T @ taken
    lengths = np.sqrt(np.maximum(np.diag(gram), 1e-9))
    cosine = (gram / lengths / lengths[:, None]).astype(np.float32)
    np.fill_diagonal(cosine, 0)
    found = np.zeros_like(gram)
    for item in range(train.n_items):
        near = np.argsort(-cosine[item])[:candidates]
        near = near[cosine[item, near] > 0]
        system = gram[np.ix_(near, near)] + regularization * np.eye(len(near))
        found[near, item] = np.linalg.solve(system, gram[near, item])
    return found


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("regularization", [1.0, 50.0])
def test_weights_are_the_closed_form(regularization, weighted):
    train = interactions(np.random.default_rng(0), 200, 80)
    train = with_weights(train) if weighted else train
    model = EASE(regularization=regularization, recency=0.0)
    model.fit(train, None, 0)
    expected = weights(train, regularization)
    np.testing.assert_allclose(model.similarity_.toarray(), expected, atol=2e-6)
    _, scores = model.recommend(queries(train), 10)
    taken = dense(train) > 0
    allowed = np.where(taken, -np.inf, taken @ expected)
    asked = train.user_counts > 0
    np.testing.assert_allclose(scores[asked], -np.sort(-allowed)[asked, :10], atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("candidates", [1, 7, 60])
def test_few_candidates_are_a_regression_on_them(candidates, weighted):
    train = interactions(np.random.default_rng(0), 200, 80)
    train = with_weights(train) if weighted else train
    model = EASE(regularization=20.0, candidates=candidates)
    model.fit(train, None, 0)
    kept = model.similarity_.toarray()
    expected = restricted(train, 20.0, candidates)
    # Equal cosines may be cut in another order.
    same = ((kept != 0) == (expected != 0)).all(axis=0)
    assert same.mean() > 0.5
    np.testing.assert_allclose(kept[:, same], expected[:, same], atol=1e-6)


def test_all_other_items_as_candidates_are_the_closed_form():
    user, item = np.nonzero(np.random.default_rng(0).random((300, 40)) < 0.3)
    train = Interactions(user.astype(np.int32), item.astype(np.int32), None, 300, 40)
    found = EASE()._sparse(train, train.n_items - 1, 20.0).toarray()
    np.testing.assert_allclose(found, weights(train, 20.0), atol=1e-6)


def test_items_without_a_user_in_common_say_nothing_of_each_other():
    pairs = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 2), (3, 3), (3, 4), (4, 3), (4, 4)]
    user, item = np.array(pairs, dtype=np.int32).T
    model = EASE()
    train = Interactions(user, item, None, 5, 6)
    model.fit(train, None, 0)
    assert (model.similarity_.data != 0).all() and model.similarity_.nnz == 8
    history = Ragged.from_rows([np.array(each, np.int32) for each in ([0, 1], [5])])
    asked = Queries(np.full(2, -1, np.int32), history, history, Ragged.empty(2))
    filled, popular = model.recommend(asked, 4)[0], model.popular_
    model.popular_ = None
    items, _ = model.recommend(asked, 4)
    assert items.tolist() == [[2, -1, -1, -1], [-1] * 4] and model.knows(asked).tolist() == [True, False]
    # As `global_hot` ranks: popularity, without what is excluded or listed.
    others = [item for item in popular if item in (3, 4)]
    assert filled.tolist() == [[2, *others, -1], popular[:4].tolist()]
    hot = GlobalHot()
    hot.fit(train, None, 0)
    np.testing.assert_array_equal(filled[1], hot.recommend(asked, 4)[0][1])


def test_the_largest_weights_in_size_are_kept_for_each_returned_item():
    train = interactions(np.random.default_rng(1), 200, 80)
    for candidates in (20, 80):
        every, kept = np.zeros((2, 80, 80))
        for top_k, found in ((1000, every), (5, kept)):
            model = EASE(top_k=top_k, candidates=candidates)
            model.fit(train, None, 0)
            found[:] = model.similarity_.toarray()
        for item in range(train.n_items):
            largest = np.sort(np.abs(every[:, item]))[-5:]
            np.testing.assert_allclose(np.sort(np.abs(kept[:, item]))[-5:], largest)
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


def test_recency_weighs_the_history_where_it_has_an_order():
    train = interactions(np.random.default_rng(0), times=True)
    for ordered, expected in ((True, 1.5), (False, 0.0)):
        model = EASE(recency=1.5)
        model.fit(replace(train, ordered=ordered), None, 0)
        assert model.recency_ == expected


def test_denser_data_is_regularized_more():
    few, many = (interactions(np.random.default_rng(0), density=each) for each in (0.1, 0.4))
    assert EASE().resolve(few, None)["regularization"] == 4 * few.interactions_a_user
    assert EASE().resolve(many, None)["regularization"] > 2 * EASE().resolve(few, None)["regularization"]


def test_a_catalog_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    train = interactions(np.random.default_rng(0), 200, 80)
    with pytest.raises(InputError, match=r"ease: .* with 80 items takes .* by --set ease.candidates=200"):
        EASE().fit(train, None, 0)


def test_places_are_as_wide_as_they_must_be():
    class Made:
        """The size of a log that no memory holds."""

        item_counts = np.array([2**21])

        def __len__(self) -> int:
            return 2**40

    assert ease._place_type(Made(), 2**10 - 2) == np.int32
    assert ease._place_type(Made(), 2**10 - 1) == np.int64


@pytest.mark.parametrize("candidates", ["auto", 6])
def test_contract(candidates):
    check_model(EASE, candidates=candidates)


def test_sums_of_weights_lose_no_small_one():
    weights_ = np.array([2**24] + 8 * [1], np.float32)
    zeros = np.zeros(9, np.int32)
    train = Interactions(np.arange(9, dtype=np.int32), zeros, None, 9, 1, weight=weights_)
    assert ease._gram(train) == np.float32(2**24 + 8)
