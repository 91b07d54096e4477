"""A sorted log as it is written: an array a column, and the ids of users and items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ids import TextIds
from retrieval_leaderboard.datasets.ragged import offsets_of
from retrieval_leaderboard.support.storage.mapped import GrowingFolder, growing

if TYPE_CHECKING:
    import pyarrow as pa

NARROW: dict[str, npt.DTypeLike] = {"part": np.uint8, "event": np.uint8}
"""Columns whose type not every engine has"""


@dataclass(frozen=True)
class Sorted:
    """What sorting came to."""

    rows: int
    timed: bool
    """Whether the rows have times"""
    spilled: int
    """Bytes that lay on disk at once, beside the result"""
    limit: int = 0
    """Bytes of memory that it kept to; 0 for an engine with limits of its own"""


def write_ids(batches: Iterable[pa.RecordBatch], folder: Path, kind: str) -> int:
    """Write the ids of users or items, "id" in their order and perhaps "listed"; how many there are."""
    n = 0
    with growing(folder) as arrays:
        for batch in batches:
            _append_ids(arrays, f"{kind}_ids", batch.column("id"), first=not n)
            if "listed" in batch.schema.names:
                arrays.append("listed", batch.column("listed").to_numpy(zero_copy_only=False))
            n += len(batch)
    return n


def _append_ids(arrays: GrowingFolder, name: str, ids: pa.Array, first: bool) -> None:
    """Write ids as `CompactIds.save` does, batch by batch."""
    import pyarrow as pa

    if pa.types.is_integer(ids.type):
        arrays.append(f"{name}", ids.to_numpy())
        return
    text = TextIds.of(ids)
    content = text.content[int(text.offsets[0]) : int(text.offsets[-1])]
    before = arrays.append(f"{name}.text", content)
    arrays.append(f"{name}.offsets", text.offsets[0 if first else 1 :] - text.offsets[0] + before)


def write_rows(batches: Iterable[pa.RecordBatch], folder: Path, size: tuple[int, int]) -> None:
    """Write sorted rows of codes and columns, and where those of each of the users begin.

    Args:
        batches: in order.
        folder: for the arrays.
        size: rows and users.
    """
    rows, n_users = size
    lengths, written = np.zeros(n_users, dtype=np.int64), 0
    with growing(folder) as arrays:
        for batch in batches:
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                values = column.to_numpy(zero_copy_only=False)
                arrays.append(name, values.astype(NARROW.get(name, values.dtype), copy=False))
            user = batch.column("user").to_numpy()
            low = int(user[0])
            lengths[low : int(user[-1]) + 1] += np.bincount(user - low)
            written += len(batch)
    if written != rows:
        raise RuntimeError(f"{written} of {rows} rows were written")
    np.save(folder / "offsets.npy", offsets_of(lengths))


def bytes_of(folder: Path) -> int:
    """What all files below `folder` take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
