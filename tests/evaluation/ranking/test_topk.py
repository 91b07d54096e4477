import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties, topk, topk_torch
from retrieval_leaderboard.support import compute


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=2))


def vectors(rng, n, d=16):
    return rng.standard_normal((n, d), dtype=np.float32)


def random_rows(rng, n, n_items, most):
    return Ragged.from_rows([rng.permutation(n_items)[: rng.integers(0, most + 1)] for _ in range(n)])


def ranked(scores, exclude, k):
    """The slow reference: sort each row of scores float[q, n] by (score, `ties.rank`)."""
    items = np.full((len(scores), k), -1, np.int32)
    best = np.full((len(scores), k), -np.inf, np.float32)
    for row, full in enumerate(scores):
        excluded = set(exclude[row].tolist())
        order = sorted(
            (-score, ties.rank(item), item) for item, score in enumerate(full) if item not in excluded
        )
        for place, (score, _, item) in enumerate(order[:k]):
            if score != np.inf:
                items[row, place], best[row, place] = item, -score
    return items, best


def exact_scores(queries, items):
    return (queries.astype(np.float64) @ items.astype(np.float64).T).astype(np.float32)


def same(result, expected):
    np.testing.assert_array_equal(result[0], expected[0])
    np.testing.assert_allclose(result[1], expected[1], rtol=1e-6, atol=1e-6)
    assert result[0].dtype == np.int32
    assert result[1].dtype == np.float32


@pytest.mark.parametrize(("n_items", "k"), [(1, 1), (63, 5), (64, 20), (129, 20), (1000, 200), (30, 50)])
def test_inner_product_is_the_sorted_row(n_items, k):
    rng = np.random.default_rng(n_items)
    queries, items = vectors(rng, 150), vectors(rng, n_items)
    exclude = random_rows(rng, 150, n_items, min(n_items, 40))
    expected = ranked(exact_scores(queries, items), exclude, k)
    same(topk.inner_product(queries, items, exclude, k), expected)


def test_inner_product_agrees_with_faiss():
    faiss = pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    queries, items = vectors(rng, 300, 32), vectors(rng, 5000, 32)
    index = faiss.IndexFlatIP(32)
    index.add(items)
    scores, found = index.search(queries, 20)
    same(topk.inner_product(queries, items, Ragged.empty(300), 20), (found, scores))


def test_equal_vectors_tie_and_the_smaller_tie_rank_wins():
    rng = np.random.default_rng(1)
    few = vectors(rng, 7, 64)
    items = few[rng.integers(0, 7, 1003)]
    queries = vectors(rng, 200, 64)
    expected = ranked(exact_scores(queries, items), Ragged.empty(200), 30)
    np.testing.assert_array_equal(topk.inner_product(queries, items, Ragged.empty(200), 30)[0], expected[0])


def test_a_zero_query_gets_the_first_items_allowed_in_the_order_of_ties():
    items = vectors(np.random.default_rng(2), 100)
    found, scores = topk.inner_product(np.zeros((1, 16)), items, Ragged.from_rows([[0, 2]]), 4)
    allowed = [item for item in range(100) if item not in (0, 2)]
    assert found.tolist() == [sorted(allowed, key=ties.rank)[:4]]
    assert scores.tolist() == [[0, 0, 0, 0]]


def test_order_of_nearly_equal_scores_is_decided_exactly(monkeypatch):
    # Every score is 1 plus a sum that float32 loses in whole or in part, depending on its order.
    rng = np.random.default_rng(3)
    items = np.c_[np.ones(2000), rng.integers(-4, 5, (2000, 40)) * 2.0**-24].astype(np.float32)
    queries = np.ones((3, 41), np.float32)
    expected = ranked(exact_scores(queries, items), Ragged.empty(3), 25)
    for size in (topk.BLOCK_ITEMS, 10):
        monkeypatch.setattr(topk, "BLOCK_ITEMS", size)
        found = topk.inner_product(queries, items, Ragged.empty(3), 25)[0]
        np.testing.assert_array_equal(found, expected[0])


def test_result_depends_neither_on_blocks_nor_on_threads(monkeypatch):
    rng = np.random.default_rng(4)
    queries, items = vectors(rng, 333, 48), vectors(rng, 777, 48)
    exclude = random_rows(rng, 333, 777, 30)
    whole = topk.inner_product(queries, items, exclude, 20)
    monkeypatch.setattr(topk, "BLOCK_QUERIES", 7)
    monkeypatch.setattr(topk, "BLOCK_ITEMS", 100)
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=3))
    pieces = topk.inner_product(queries, items, exclude, 20)
    np.testing.assert_array_equal(whole[0], pieces[0])
    np.testing.assert_array_equal(whole[1], pieces[1])
    alone = topk.inner_product(queries[50:51], items, exclude.take(slice(50, 51)), 20)
    np.testing.assert_array_equal(whole[1][50:51], alone[1])


def test_a_query_with_everything_excluded_gets_nothing():
    items = vectors(np.random.default_rng(5), 10)
    found, scores = topk.inner_product(items[:1], items, Ragged.from_rows([list(range(10))]), 3)
    assert found.tolist() == [[-1, -1, -1]]
    assert np.isneginf(scores).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_scores_that_are_not_finite_fail(value):
    items = vectors(np.random.default_rng(6), 10)
    broken = items.copy()
    broken[7, 3] = value
    with pytest.raises(ValueError, match="item 7"):
        topk.inner_product(items, broken, Ragged.empty(10), 3)
    with pytest.raises(ValueError, match="query 7"):
        topk.inner_product(broken, items, Ragged.empty(10), 3)


@pytest.mark.parametrize("distinct", [1, 3, 60, 500])
def test_device_path_gives_the_same_lists(monkeypatch, distinct):
    rng = np.random.default_rng(distinct)
    items = vectors(rng, distinct)[rng.integers(0, distinct, 500)]
    queries = vectors(rng, 90)
    exclude = random_rows(rng, 90, 500, 60)
    monkeypatch.setattr(topk_torch, "BLOCK_SCORES", 500 * 32)
    error = topk._score_error(queries, items)
    for k in (1, 20, 600):
        result = topk_torch.inner_product(queries, items, exclude, k, error, "cpu")
        expected = topk.inner_product(queries, items, exclude, k)
        same(result, expected)


def similarity(rng, n, density):
    return csr_array(random_array((n, n), density=density, rng=rng, dtype=np.float32))


def summed(history, matrix, exclude, k):
    """The slow reference: add rows; what no row mentions may not be returned."""
    dense, named = matrix.toarray().astype(np.float64), (matrix != 0).toarray()
    scores = np.full((len(history), matrix.shape[1]), -np.inf, np.float32)
    for row in range(len(history)):
        total = dense[history[row]].sum(axis=0)
        mentioned = named[history[row]].any(axis=0)
        scores[row, mentioned] = total[mentioned]
    return ranked(scores, exclude, k)


@pytest.mark.parametrize(("density", "k"), [(0.01, 20), (0.2, 20), (0.2, 400)])
def test_what_is_summed_is_the_sum_of_rows(two_threads, density, k):
    rng = np.random.default_rng(k)
    matrix = similarity(rng, 300, density)
    history, exclude = random_rows(rng, 600, 300, 12), random_rows(rng, 600, 300, 30)
    same(topk.summed(history, matrix, exclude, k), summed(history, matrix, exclude, k))


def test_ties_of_sums_go_by_tie_rank_and_repeats_count_twice():
    matrix = csr_array(np.array([[0, 2, 1, 2], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]], np.float32))
    history = Ragged.from_rows([[0], [0, 1], [1, 1], [], [2]])
    found, scores = topk.summed(history, matrix, Ragged.empty(5), 3)
    first, second = sorted([1, 3], key=ties.rank)
    both = sorted([1, 2, 3], key=ties.rank)
    assert found.tolist() == [[first, second, 2], both, [2, -1, -1], [-1, -1, -1], [-1, -1, -1]]
    assert scores[2].tolist() == [2, -np.inf, -np.inf]


def test_recency_lets_older_items_of_a_history_weigh_less():
    matrix = csr_array(np.array([[0, 0, 8, 0], [0, 0, 0, 3], [0, 0, 0, 0], [0, 0, 0, 0]], np.float32))
    history = Ragged.from_rows([[0, 1], [0, 1]])
    found, scores = topk.summed(history, matrix, Ragged.empty(2), 2, recency=2.0)
    assert found.tolist() == [[3, 2]] * 2
    assert scores.tolist() == [[3.0, 2.0]] * 2


def test_the_check_refuses_a_similarity_that_is_not_finite():
    matrix = csr_array(np.array([[0, 2], [np.nan, 0]], np.float32))
    with pytest.raises(ValueError, match="items 1 and 0 is nan"):
        topk.check_similarity(matrix)


def test_first_allowed_walks_the_order():
    order, scores = np.array([4, 1, 3], np.int32), np.array([9, 5, 5], np.float32)
    found, best = topk.first_allowed(order, scores, Ragged.from_rows([[], [4], [1, 4, 0], [1, 3, 4]]), 2)
    assert found.tolist() == [[4, 1], [1, 3], [3, -1], [-1, -1]]
    assert best.tolist() == [[9, 5], [5, 5], [5, -np.inf], [-np.inf, -np.inf]]
