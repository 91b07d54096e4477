"""Rows over a shared array."""

import numpy as np

from retrieval_leaderboard.datasets import Ragged


def rows(ragged: Ragged) -> list[list[int]]:
    return [ragged[row].tolist() for row in range(len(ragged))]


def test_rows_and_lengths():
    ragged = Ragged.from_rows([[3, 1], [], [2]])
    assert rows(ragged) == [[3, 1], [], [2]]
    assert ragged.lengths.tolist() == [2, 0, 1]
    assert ragged.rows().tolist() == [0, 0, 2]
    assert ragged.values.dtype == np.int32


def test_no_rows():
    ragged = Ragged.from_rows([])
    assert len(ragged) == 0
    values, offsets = ragged.compact()
    assert len(values) == 0
    assert offsets.tolist() == [0]


def test_take_and_last_share_values():
    ragged = Ragged.from_rows([[1, 2, 3], [4], []])
    assert rows(ragged.take(np.array([1, 0, 0]))) == [[4], [1, 2, 3], [1, 2, 3]]
    assert rows(ragged.last(2)) == [[2, 3], [4], []]
    assert ragged.take(slice(1, 3)).values is ragged.values
    assert ragged.last(1).values is ragged.values


def test_compact_of_csr_is_a_view():
    ragged = Ragged.from_rows([[1, 2], [3]])
    assert np.shares_memory(ragged.compact()[0], ragged.values)


def test_compact_of_overlapping_rows_copies_them():
    ragged = Ragged(np.array([5, 6, 7], np.int32), np.array([0, 0, 1]), np.array([2, 3, 2]))
    values, offsets = ragged.compact()
    assert values.tolist() == [5, 6, 5, 6, 7, 6]
    assert offsets.tolist() == [0, 2, 5, 6]


def test_distinct_keeps_the_first_of_a_row():
    some = Ragged.from_rows([[5, 1, 5], [], [1, 5], [2, 2]])
    assert rows(some.take(np.array([3, 0, 1, 2])).distinct()) == [[2], [5, 1], [], [1, 5]]
    assert rows(Ragged.empty(2).distinct()) == [[], []]


def test_empty():
    assert rows(Ragged.empty(3)) == [[], [], []]
    assert Ragged.empty(2).compact()[1].tolist() == [0, 0, 0]
