"""A bundle's tables as Parquet with checksums: ids, training histories, item columns, later changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued, Numeric
from retrieval_leaderboard.datasets.ids import RawIds
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.serving.bundles.columns import Categories, Column, ItemColumns, Numbers, Values
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
    values: list[Values] = field(default_factory=list)
    """of each added item: raw values of the item columns; none where the bundle has no item columns"""

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


def write_columns(path: Path, features: Features | None) -> bool:
    """Write the raw values of item features, a row for each label; whether there are any.

    Vectors, and codes without a vocabulary, are left out.
    """
    import pyarrow as pa

    arrays = {name: _raw(column) for name, column in (features or Features()).columns.items()}
    kept = {name: array for name, array in arrays.items() if array is not None}
    if kept:
        _write(path, pa.table(kept))
    return bool(kept)


def read_columns(path: Path) -> ItemColumns:
    """What `write_columns` wrote."""
    table = _read(path)
    return ItemColumns({name: _column(table[name].combine_chunks()) for name in table.column_names})


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
    if any(changes.values):
        values = [*map(json.dumps, changes.values), *[None] * len(changes.removed)]
        columns["values"] = pa.array(values, pa.string())
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
        values = [json.loads(row.get("values") or "{}") for row in rows]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} has other columns or vectors than it was written with: remove it"
        ) from error
    return Changes([row["item_id"] for row in rows], vectors, np.array(removed, dtype=np.int64), values)


def _raw(column: Any) -> Any:
    """A feature column as an Arrow array of raw values; None where it has none to filter by."""
    import pyarrow as pa

    if isinstance(column, Numeric):
        return pa.array(column.numbers, pa.float32())
    if isinstance(column, Categorical) and column.vocabulary:
        return _texts(column.vocabulary, column.codes)
    if isinstance(column, Multivalued) and column.vocabulary:
        codes, offsets = column.codes.compact()
        return pa.LargeListArray.from_arrays(offsets, _texts(column.vocabulary, codes))
    return None


def _texts(vocabulary: list[str], codes: npt.NDArray[np.int32]) -> Any:
    """The text of each code; null for code 0."""
    import pyarrow as pa

    return pa.array(vocabulary, pa.string()).take(pa.array(codes, mask=codes == 0))


def _column(array: Any) -> Column:
    import pyarrow as pa

    if pa.types.is_floating(array.type):
        return Numbers(array.to_numpy(zero_copy_only=False))
    rows, texts = np.arange(len(array)), array
    if pa.types.is_large_list(array.type):
        rows, texts = np.repeat(rows, np.diff(array.offsets.to_numpy())), array.values
    known = texts.is_valid().to_numpy(zero_copy_only=False)
    encoded = texts.filter(pa.array(known)).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return Categories(encoded.dictionary.to_pylist(), codes, rows[known], len(array))


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
