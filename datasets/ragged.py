"""Rows of different lengths over one shared array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support.storage.mapped import BLOCK


@dataclass(frozen=True)
class Ragged:
    """n rows of items: row i is `values[start[i]:stop[i]]`.

    Rows may overlap and come in any order, so growing histories of one user, slices and
    selections of rows all share one `values` array.
    """

    values: npt.NDArray[np.int32]
    """int32[total]"""
    start: npt.NDArray[np.int64]
    """int64[n]"""
    stop: npt.NDArray[np.int64]
    """int64[n]"""

    @classmethod
    def from_offsets(cls, values: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]) -> Ragged:
        """Rows from the CSR form: row i is `values[offsets[i]:offsets[i + 1]]`, offsets int64[n + 1]."""
        return cls(values, offsets[:-1], offsets[1:])

    @classmethod
    def from_rows(cls, rows: list[list[int]] | list[npt.NDArray[np.int32]]) -> Ragged:
        """Rows from a list of lists of item ids."""
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        values = np.concatenate([np.asarray(row, dtype=np.int32) for row in rows] or [np.empty(0, np.int32)])
        return cls.from_offsets(values, offsets_of(lengths))

    @classmethod
    def empty(cls, n: int) -> Ragged:
        """`n` rows without an item."""
        zeros = np.zeros(n, dtype=np.int64)
        return cls(np.empty(0, dtype=np.int32), zeros, zeros)

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        return self.values[self.start[row] : self.stop[row]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """int64[n]: items in each row."""
        return self.stop - self.start

    def take(self, rows: slice | npt.NDArray[np.int64]) -> Ragged:
        """The given rows, sharing `values`."""
        return Ragged(self.values, self.start[rows], self.stop[rows])

    def last(self, n: int) -> Ragged:
        """The last `n` items of each row, sharing `values`."""
        return Ragged(self.values, np.maximum(self.start, self.stop - n), self.stop)

    def distinct(self) -> Ragged:
        """Each row without the items that stand in it before; their order stays."""
        flat = self._flat()
        kept = np.zeros(len(flat.values), dtype=np.bool_)
        kept[np.unique(flat._keys(flat._width()), return_index=True)[1]] = True
        return flat._where(kept)

    def only(self, members: npt.NDArray[np.bool_]) -> Ragged:
        """Each row's items that are `members`, bool[n_items]."""
        flat = self._flat()
        return flat._where(members[flat.values])

    def without(self, other: Ragged) -> Ragged:
        """Each row's items that the same row of `other` lacks; itself where it lacks them all."""
        flat, others = self._flat(), other._flat()
        width = max(flat._width(), others._width())
        found = _among(flat._keys(width), others._keys(width))
        return flat._where(~found) if found.any() else self

    def contains(self, items: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """bool[n, m]: whether `items[i, j]`, int32[n, m], stands in row i; False for -1."""
        if int(self.lengths.sum()) <= BLOCK:
            return self._contains(items)
        found = np.empty(items.shape, dtype=np.bool_)
        for rows in self.cuts():
            found[rows] = self.take(rows)._contains(items[rows])
        return found

    def _contains(self, items: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        flat = self._flat()
        width = max(flat._width(), int(items.max(initial=0)) + 1)
        keys = np.arange(len(self))[:, None] * width + items
        return _among(keys, flat._keys(width)) & (items >= 0)

    def compact(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """The CSR form: values int32[total], offsets int64[n + 1]; no copy where it is one already."""
        offsets = offsets_of(self.lengths)
        if len(self) and np.array_equal(self.start[1:], self.stop[:-1]):
            return self.values[self.start[0] : self.stop[-1]], offsets
        shift = np.repeat(self.start - offsets[:-1], self.lengths)
        return self.values[np.arange(offsets[-1]) + shift], offsets

    def blocks(self, size: int = BLOCK) -> Iterator[npt.NDArray[np.int32]]:
        """What `compact` gives as values, some rows at a time: of about `size` items, unless one has more."""
        for rows in self.cuts(size):
            yield self.take(rows).compact()[0]

    def cuts(self, size: int = BLOCK) -> Iterator[slice]:
        """Slices of neighboring rows that have about `size` items together, at least one row each."""
        ends, start, passed = np.cumsum(self.lengths), 0, 0
        while start < len(self):
            stop = max(start + 1, int(np.searchsorted(ends, passed + size, side="right")))
            yield slice(start, stop)
            start, passed = stop, int(ends[stop - 1])

    def rows(self) -> npt.NDArray[np.int64]:
        """int64[total]: the row of each item in `compact()`'s order."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def positions(self) -> npt.NDArray[np.int64]:
        """int64[total]: the position of each item in its row, in `compact()`'s order."""
        offsets = offsets_of(self.lengths)
        return np.arange(offsets[-1]) - np.repeat(offsets[:-1], self.lengths)

    def _flat(self) -> Ragged:
        """The same rows, one after the other: no copy where they are that already."""
        return Ragged.from_offsets(*self.compact())

    def _width(self) -> int:
        """One more than the largest of `values`."""
        return int(self.values.max(initial=0)) + 1

    def _keys(self, width: int) -> npt.NDArray[np.int64]:
        """int64[total]: a number of its own for each row and item below `width`, of flat rows."""
        return self.rows() * width + self.values

    def _where(self, kept: npt.NDArray[np.bool_]) -> Ragged:
        """The items of flat rows that are `kept`, bool[total]."""
        lengths = np.bincount(self.rows()[kept], minlength=len(self))
        return Ragged.from_offsets(self.values[kept], offsets_of(lengths))


def _among(keys: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether each of `keys` is one of `known`, in the shape of `keys`; np.isin takes ten times as long."""
    if not len(known):
        return np.zeros(keys.shape, dtype=np.bool_)
    ordered = np.sort(known)
    at = np.minimum(np.searchsorted(ordered, keys.ravel()), len(ordered) - 1)
    found: npt.NDArray[np.bool_] = ordered[at].reshape(keys.shape) == keys
    return found


def offsets_of(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[n + 1]: where rows of these lengths begin and the last one ends."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def index_type(most: int) -> type[np.signedinteger]:
    """The narrower of int32 and int64 that holds numbers up to `most`."""
    return np.int32 if most < 2**31 else np.int64
