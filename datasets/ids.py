"""Raw ids as text, one a code, in a few bytes each and perhaps in a file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support.storage.mapped import blocks, open_array

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 2**16
"""Ids that become text together"""


class CompactIds(Sequence[str]):
    """Ids that become `str` when they are asked for; selections of them are of the same kind."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _part(self, rows: slice | npt.NDArray[np.integer]) -> CompactIds: ...

    @abstractmethod
    def texts(self) -> list[str]:
        """All of them."""

    @abstractmethod
    def save(self, folder: Path, name: str) -> None:
        """Write them to `folder`, for `opened`."""

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            at = range(len(self))[int(rows)]
            return self._part(slice(at, at + 1)).texts()[0]
        return self._part(rows)

    def __iter__(self) -> Iterator[str]:
        for block in blocks(len(self), BLOCK):
            yield from self._part(block).texts()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[np.object_]:
        found = np.empty(len(self), dtype=object)
        for block in blocks(len(self), BLOCK):
            found[block] = self._part(block).texts()
        return found

    def __arrow_array__(self, type: Any = None) -> pa.Array:
        import pyarrow as pa

        return pa.array(self.texts(), type)


class WholeIds(CompactIds):
    """Whole numbers."""

    def __init__(self, values: npt.NDArray[np.int64]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def _part(self, rows: slice | npt.NDArray[np.integer]) -> WholeIds:
        return WholeIds(self.values[rows])

    def texts(self) -> list[str]:
        """All of them."""
        return [str(value) for value in self.values.tolist()]

    def save(self, folder: Path, name: str) -> None:
        """Write them to `folder`, for `opened`."""
        np.save(folder / f"{name}.npy", self.values)


class TextIds(CompactIds):
    """Text, one after the other as UTF-8."""

    def __init__(self, offsets: npt.NDArray[np.int64], content: npt.NDArray[np.uint8]) -> None:
        """`offsets`, int64[n + 1], say where in `content` each begins and the last one ends."""
        self.offsets, self.content = offsets, content

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def _part(self, rows: slice | npt.NDArray[np.integer]) -> TextIds:
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return TextIds(self.offsets[start : max(start, stop) + 1], self.content)
            rows = np.arange(start, stop, step)
        return TextIds.of(self.arrow().take(np.asarray(rows)))

    def texts(self) -> list[str]:
        """All of them."""
        return self.arrow().to_pylist()

    def arrow(self) -> pa.Array:
        """As an Arrow array that shares the bytes."""
        import pyarrow as pa

        buffers = [None, pa.py_buffer(np.ascontiguousarray(self.offsets)), pa.py_buffer(self.content)]
        return pa.Array.from_buffers(pa.large_string(), len(self), buffers)

    @classmethod
    def of(cls, array: pa.Array) -> TextIds:
        """From Arrow strings without nulls."""
        import pyarrow as pa

        array = array.cast(pa.large_string())
        if array.offset or not len(array):  # Arrow leaves out what an empty array has no need of.
            array = pa.concat_arrays([array, pa.array([""], pa.large_string())])[: len(array)]
        _, offsets, content = array.buffers()
        ends = np.frombuffer(offsets, np.int64)[: len(array) + 1]
        return cls(ends, np.frombuffer(content or b"", np.uint8))

    def save(self, folder: Path, name: str) -> None:
        """Write them to `folder`, for `opened`."""
        first, last = (int(self.offsets[at]) for at in (0, -1))
        np.save(folder / f"{name}.offsets.npy", self.offsets - first)
        np.save(folder / f"{name}.text.npy", self.content[first:last])


RawIds: TypeAlias = "npt.NDArray[np.object_] | CompactIds"
"""object[n] of str, or the same in less memory"""


def compact(ids: RawIds) -> CompactIds:
    """The same in a few bytes each."""
    import pyarrow as pa

    return ids if isinstance(ids, CompactIds) else TextIds.of(pa.array(ids, pa.large_string()))


def opened(folder: Path, name: str) -> CompactIds:
    """What `CompactIds.save` wrote, mapped."""
    if (folder / f"{name}.npy").exists():
        return WholeIds(open_array(folder / f"{name}.npy"))
    return TextIds(open_array(folder / f"{name}.offsets.npy"), open_array(folder / f"{name}.text.npy"))


def places(ids: RawIds, others: RawIds) -> npt.NDArray[np.int32]:
    """int32[n]: where among `others`, each of them once, each of `ids` stands; -1 where it does not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text, among_them = (pa.array(each, pa.large_string()) for each in (ids, others))
    found = pc.fill_null(pc.index_in(text, value_set=among_them), -1)
    return found.to_numpy(zero_copy_only=False).astype(np.int32)


def among(ids: RawIds, others: RawIds) -> npt.NDArray[np.bool_]:
    """bool[n]: which of `ids` are among `others`."""
    if ids is others:
        return np.ones(len(ids), dtype=np.bool_)
    if isinstance(ids, WholeIds) and isinstance(others, WholeIds):
        return np.isin(ids.values, others.values)
    if isinstance(ids, TextIds) and isinstance(others, TextIds):
        import pyarrow.compute as pc

        return pc.is_in(ids.arrow(), value_set=others.arrow()).to_numpy(zero_copy_only=False)
    known = set(others)
    return np.array([raw in known for raw in ids], dtype=np.bool_)
