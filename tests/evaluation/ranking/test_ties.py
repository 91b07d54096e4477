import numpy as np
import torch
from numba import njit

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties, topk

CODES = np.arange(200_000, dtype=np.int64)


def test_no_two_items_share_a_rank():
    assert len(np.unique(ties.rank(CODES))) == len(CODES)
    assert ties.rank(CODES).min() >= 0


def test_rank_is_the_same_for_python_numpy_numba_and_torch():
    ranks = ties.rank(CODES)
    assert [ties.rank(code) for code in range(1000)] == ranks[:1000].tolist()
    compiled = njit(ties.rank)
    assert [compiled(code) for code in range(1000)] == ranks[:1000].tolist()
    np.testing.assert_array_equal(ties.rank(torch.from_numpy(CODES)).numpy(), ranks)


def test_order_of_ties_has_nothing_to_do_with_the_codes():
    for size in (100, 1_000, 200_000):
        by_rank = np.argsort(ties.rank(CODES[:size]))
        assert abs(np.corrcoef(by_rank, CODES[:size])[0, 1]) < 4 / np.sqrt(size)


def test_a_model_that_scores_all_alike_comes_to_chance_where_codes_follow_popularity():
    n_items, k = 5_000, 100
    popularity = 1 / (1 + np.arange(n_items))
    alike = np.ones((1, 8), np.float32)
    (listed,), _ = topk.inner_product(alike, np.repeat(alike, n_items, axis=0), Ragged.empty(1), k)
    found, by_code = popularity[listed].sum(), popularity[:k].sum()
    assert found < 3 * popularity.sum() * k / n_items < by_code / 5
