import numpy as np
import pytest
from scipy.sparse import csr_array

from retrieval_leaderboard.serving import neighbor_lists


def matrix():
    dense = np.zeros((4, 4), np.float32)
    dense[0] = [0, -5, 2, 3]
    dense[1] = [1, 1, 1, 0]
    dense[3, 2] = 7
    return csr_array(dense)


def test_the_largest_in_size_are_kept_and_of_equals_the_first():
    cut = neighbor_lists.cut(matrix(), 2)
    assert cut.toarray().tolist() == [[0, -5, 0, 3], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 7, 0]]
    assert cut.data.dtype == np.float32 and cut.nnz == 5
    for length in (3, 100):
        assert np.array_equal(neighbor_lists.cut(matrix(), length).toarray(), matrix().toarray())


def test_an_empty_matrix_has_nothing_to_cut():
    empty = csr_array((3, 3), dtype=np.float32)
    assert neighbor_lists.cut(empty, 5).nnz == 0 and list(neighbor_lists.lengths(empty)) == [0]


@pytest.mark.parametrize(
    ("longest", "lengths"), [(3, [3]), (10, [10]), (11, [10, 11]), (60, [10, 20, 50, 60])]
)
def test_lengths_end_in_the_longest_list(longest, lengths):
    dense = np.zeros((60, 60), np.float32)
    dense[7, :longest] = 1
    assert list(neighbor_lists.lengths(csr_array(dense))) == lengths


def test_bytes_are_those_of_the_three_arrays():
    similarity = matrix()
    assert neighbor_lists.n_bytes(similarity) == 7 * (4 + 4) + 5 * similarity.indptr.itemsize
