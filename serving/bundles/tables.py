"""A bundle's tables as Parquet with checksums: ids, training histories, later changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ids import RawIds
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import atomic_file

MODEL_HASH = b"model_hash"


@dataclass(frozen=True)
class Changes:
    """What happened to the catalog since the index was built.

    The index file stays as built; opening a bundle repeats the changes.
    """

    item_ids: list[str]
    """raw id of each added item, in the order of labels, from the catalog's size on"""
    vectors: npt.NDArray[np.float32]
    """float32[added, d]"""
    removed: npt.NDArray[np.int64]
    """int64: labels removed, of the catalog or added"""

    @property
    def count(self) -> int:
        """How many changes: an item that came and went counts twice."""
        return len(self.item_ids) + len(self.removed)


def write_items(path: Path, item_ids: RawIds) -> None:
    """Write raw ids in the order of their labels."""
    import pyarrow as pa

    _write(path, pa.table({"item_id": pa.array(item_ids, pa.string()), "label": np.arange(len(item_ids))}))


def read_items(path: Path) -> list[str]:
    """Raw ids in the order of their labels."""
    return _read(path)["item_id"].to_pylist()


def write_users(path: Path, user_ids: RawIds, histories: Ragged) -> None:
    """Write raw ids and training histories, a row each."""
    import pyarrow as pa

    values, offsets = histories.compact()
    rows = pa.LargeListArray.from_arrays(offsets, pa.array(values, pa.int32()))
    _write(path, pa.table({"user_id": pa.array(user_ids, pa.string()), "history": rows}))


def read_users(path: Path) -> tuple[list[str], Ragged]:
    """Raw ids and training histories."""
    table = _read(path)
    rows = table["history"].combine_chunks()
    offsets = rows.offsets.to_numpy().astype(np.int64)
    return table["user_id"].to_pylist(), Ragged.from_offsets(rows.values.to_numpy(), offsets)


def write_changes(path: Path, changes: Changes, model_hash: str) -> None:
    """Write the changes atomically, with the hash of the model whose vectors they hold."""
    import pyarrow as pa

    added = len(changes.item_ids)
    ids = [*changes.item_ids, *[None] * len(changes.removed)]
    vectors = [*changes.vectors, *[None] * len(changes.removed)]
    columns = {
        "item_id": pa.array(ids, pa.string()),
        "vector": pa.array(vectors, pa.list_(pa.float32())),
        "removed_label": pa.array([*[None] * added, *changes.removed.tolist()], pa.int64()),
    }
    table = pa.table(columns).replace_schema_metadata({MODEL_HASH: model_hash})
    with atomic_file(path) as scratch:
        _write(scratch, table)


def read_changes(path: Path, model_hash: str, dimension: int) -> Changes:
    """The changes, none where there is no file.

    Raises:
        InputError: a damaged file, or vectors of another model.
    """
    if not path.exists():
        return Changes([], np.empty((0, dimension), np.float32), np.empty(0, np.int64))
    table = _read(path)
    if (table.schema.metadata or {}).get(MODEL_HASH) != model_hash.encode():
        raise InputError(f"{path} holds vectors of another model: remove it, or build the bundle again")
    try:
        rows = [row for row in table.to_pylist() if row["item_id"] is not None]
        removed = [label for label in table["removed_label"].to_pylist() if label is not None]
        vectors = np.array([row["vector"] for row in rows], dtype=np.float32).reshape(len(rows), dimension)
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} has other columns or vectors than it was written with: remove it"
        ) from error
    return Changes([row["item_id"] for row in rows], vectors, np.array(removed, dtype=np.int64))


def _write(path: Path, table: Any) -> None:
    from pyarrow import parquet

    parquet.write_table(table, path, write_page_checksum=True)


def _read(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read ({reason}): build the bundle again") from error
