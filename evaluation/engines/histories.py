"""Users' histories by blocks of items: packed for Spark to deal out, and for_kernels as kernels take them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.support.storage.mapped import loaded

if TYPE_CHECKING:
    import pyarrow as pa

FILE_ITEMS = 2**22
"""Items of the histories in a file, about"""
BLOCK_BYTES = 2**28
"""Of the histories that a block of items gets, at most, unless a single item's users have more"""
ITEM_BYTES = 4
COPIES, ROW_BYTES = 4, 16
"""Of a block's histories, as Arrow, as arrays and put by item; and of each item, where its users stand"""
BESIDE = {"roots": np.float32, "counted": np.bool_}
"""What may stand beside the items of a history, and its type"""


@dataclass(frozen=True)
class Histories:
    """What users took, and what kernels know of them."""

    train: Interactions
    weights: npt.NDArray[np.floating]
    """[n_users]"""
    roots: npt.NDArray[np.float32] | None = None
    """float32[n]: of the weights of the interactions; None where all are 1"""
    counted: npt.NDArray[np.bool_] | None = None
    """bool[n]: whether the user counts among those of the item; None where all do"""

    @property
    def schema(self) -> str:
        """Of the rows that `write` writes, as Spark says it."""
        weight = "float" if self.weights.dtype == np.float32 else "double"
        beside = [f"{name} binary" for name in BESIDE if getattr(self, name) is not None]
        return ", ".join(["user int", f"weight {weight}", "items binary", *beside, "blocks array<int>"])

    def write(self, folder: Path, cuts: npt.NDArray[np.int64]) -> None:
        """Write a row of Parquet for each user, with the numbers of the blocks that need it."""
        import pyarrow.parquet as pq

        folder.mkdir()
        for number, users in enumerate(self.train.by_user.cuts(FILE_ITEMS)):
            table = self._table(users, cuts)
            pq.write_table(table, folder / f"{number:06}.parquet", use_dictionary=False)

    def _table(self, users: slice, cuts: npt.NDArray[np.int64]) -> pa.Table:
        import pyarrow as pa

        rows = self.train.by_user.take(users)
        part = slice(rows.start[0], rows.stop[-1])
        items, offsets = loaded(self.train.item[part]), offsets_of(rows.lengths)
        columns = {
            "user": np.arange(users.start, users.start + len(rows), dtype=np.int32),
            "weight": self.weights[users],
            "items": _packed(items, offsets),
        }
        for name in BESIDE:
            if (values := getattr(self, name)) is not None:
                columns[name] = _packed(values[part], offsets)
        user, block = rows.rows(), np.searchsorted(cuts, items, side="right") - 1
        if self.counted is not None:
            user, block = user[self.counted[part]], block[self.counted[part]]
        pairs = np.unique(user * len(cuts) + block)
        ends = offsets_of(np.bincount(pairs // len(cuts), minlength=len(rows)))
        numbers = (pairs % len(cuts)).astype(np.int32)
        return pa.table(columns | {"blocks": pa.ListArray.from_arrays(ends.astype(np.int32), numbers)})


def cuts_of(activity: npt.NDArray[np.float64], least: int) -> npt.NDArray[np.int64]:
    """int64[b + 1]: where blocks of consecutive items begin and the last one ends, all about as large.

    Args:
        activity: float64[n_items], the interactions of the users of each item.
        least: blocks there are, unless fewer items have users.
    """
    ends = np.cumsum(activity)
    wanted = max(least, -(-int(ITEM_BYTES * ends[-1]) // BLOCK_BYTES))
    inner = np.unique(np.searchsorted(ends, ends[-1] * np.arange(1, wanted) / wanted)) + 1
    # A block ends with an item that has users, so that none is without a history.
    return np.array([0, *inner[ends[inner - 1] < ends[-1]], len(activity)], np.int64)


def task_bytes(activity: npt.NDArray[np.float64]) -> int:
    """Bytes that a task with a block of `cuts_of` takes at most, beside what its kernel does."""
    largest = max(min(BLOCK_BYTES, ITEM_BYTES * activity.sum()), ITEM_BYTES * activity.max(initial=0))
    return int(COPIES * largest) + ROW_BYTES * len(activity)


def for_kernels(table: pa.Table, first: int, last: int, n_items: int) -> tuple[Any, ...]:
    """What kernels take, of the items `first` to `last` - 1, from those rows of `Histories` that they need.

    Returns:
        The users of each item, n_items rows, and the items of each user, both as (values, start, stop); roots
        beside both, None each where all are 1; and the weights of the users. Users are numbered anew, in
        their order.
    """
    order = np.argsort(table["user"].to_numpy())
    items, lengths = _values(table, "items", np.int32)
    offsets = offsets_of(lengths)
    rows = Ragged.from_offsets(items, offsets).take(order)
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    own = (items >= first) & (items < last)
    if "counted" in table.column_names:
        own &= _values(table, "counted", np.bool_)[0]
    at = np.flatnonzero(own)
    user = place[np.searchsorted(offsets, at, side="right") - 1]
    by_item = np.lexsort((user, items[at]))
    start, stop = np.zeros(n_items, np.int64), np.zeros(n_items, np.int64)
    ends = offsets_of(np.bincount(items[at] - first, minlength=last - first))
    start[first:last], stop[first:last] = ends[:-1], ends[1:]
    item_roots = _values(table, "roots", np.float32)[0] if "roots" in table.column_names else None
    user_roots = None if item_roots is None else item_roots[at[by_item]]
    users = user[by_item], start, stop
    weights = table["weight"].to_numpy()[order]
    return users, (rows.values, rows.start, rows.stop), user_roots, item_roots, weights


def _packed(values: npt.NDArray[Any], offsets: npt.NDArray[np.int64]) -> pa.Array:
    """Rows of values as bytes, which Spark hands on as they are."""
    import pyarrow as pa

    starts = (offsets * values.itemsize).astype(np.int32)
    buffers = [None, pa.py_buffer(starts), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def _values(
    table: pa.Table, name: str, dtype: type[np.generic]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """The values of a column that `_packed` made, one after the other, and how many each row has."""
    parts, lengths = [], []
    for chunk in table[name].chunks:
        _, starts, values = chunk.buffers()
        ends = np.frombuffer(starts, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        parts.append(np.frombuffer(values, np.uint8)[ends[0] : ends[-1]].view(dtype))
        lengths.append(np.diff(ends) // np.dtype(dtype).itemsize)
    return np.concatenate(parts), np.concatenate(lengths).astype(np.int64)
