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


def test_no_row_contains_an_empty_place():
    items = np.array([[-1, 0], [-1, 1]], dtype=np.int32)
    assert not Ragged.from_rows([[1], [0]]).contains(items).any()
    assert not Ragged.empty(2).contains(items).any()


def random_rows(rng: np.random.Generator) -> Ragged:
    """50 rows of up to 9 of 30 items, which overlap and are out of order."""
    start = rng.integers(0, 200, 50)
    return Ragged(rng.integers(0, 30, 210).astype(np.int32), start, start + rng.integers(0, 10, 50))


def test_membership_equals_a_loop():
    rng = np.random.default_rng(0)
    some, others = random_rows(rng), random_rows(rng)
    items = rng.integers(-1, 40, size=(50, 7)).astype(np.int32)
    assert some.contains(items).tolist() == [
        [item in row for item in asked] for row, asked in zip(rows(some), items.tolist(), strict=True)
    ]
    assert rows(some.without(others)) == [
        [item for item in row if item not in other]
        for row, other in zip(rows(some), rows(others), strict=True)
    ]
    members = rng.random(30) < 0.5
    assert rows(some.only(members)) == [[item for item in row if members[item]] for row in rows(some)]


def test_without_what_is_not_there_is_the_same():
    some = Ragged.from_rows([[1], [2]])
    assert some.without(Ragged.from_rows([[2], [1]])) is some
    assert some.without(Ragged.empty(2)) is some


def test_empty():
    assert rows(Ragged.empty(3)) == [[], [], []]
    assert Ragged.empty(2).compact()[1].tolist() == [0, 0, 0]
