"""Columns of a Parquet file, or a folder of them, in Arrow's own types: no integer becomes a float."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def names(path: Path) -> list[str]:
    """The columns, and the index where pandas wrote one.

    Raises:
        InputError: no readable Parquet file.
    """
    with _readable(path):
        return list(_open(path).schema.names)


def read(path: Path, name: str) -> pd.Series:
    """A column, of a `pandas.ArrowDtype`, indexed by row from 1.

    Dictionaries are resolved, and pandas' periods are their start.

    Raises:
        InputError: no readable Parquet file.
    """
    import pandas as pd

    with _readable(path):
        table = _open(path).to_table(columns=[name])
        table.validate(full=True)
        if len(table) != _open(path).count_rows():
            raise ValueError(f"column '{name}' is cut short")
        values = _series(table, name)
    values.index = pd.RangeIndex(1, len(values) + 1, name="row")
    return values


def parts(path: Path) -> list[Path]:
    """The files of a table: itself, or those of a folder, as Spark and others write them."""
    if path.is_file():
        return [path]
    return sorted(part for part in path.rglob("*.parquet") if part.is_file() and part.name[0] not in "._")


def _open(path: Path) -> Any:
    from pyarrow import dataset

    files = [str(part) for part in parts(path)]
    return dataset.dataset(
        files, format="parquet", partitioning="hive", partition_base_dir=None if path.is_file() else str(path)
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a readable Parquet file ({reason}); write it again") from error


def _series(table: Any, name: str) -> pd.Series:
    import pandas as pd
    import pyarrow as pa

    column, field = table.column(name), table.schema.field(name)
    kind = field.type
    extension = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode()
    about = (field.metadata or {}).get(b"ARROW:extension:metadata", b"")
    if isinstance(kind, pa.BaseExtensionType):
        extension, about = kind.extension_name, kind.__arrow_ext_serialize__()
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
    if extension == "pandas.period":
        column = _starts(column, json.loads(about)["freq"])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pd.Series(pd.arrays.ArrowExtensionArray(column))


def _starts(ordinals: Any, freq: str) -> Any:
    """The first moment of each period, given as numbers of periods since 1970."""
    import pandas as pd
    import pyarrow as pa

    numbers = pd.Series(ordinals.to_pandas(types_mapper=pd.ArrowDtype))
    known = numbers.dropna()
    periods: Any = pd.PeriodIndex  # Its types do not know from_ordinals.
    starts = periods.from_ordinals(known.to_numpy(dtype="int64"), freq=freq).to_timestamp(how="start")
    return pa.chunked_array([pa.array(pd.Series(starts, index=known.index).reindex(numbers.index))])
