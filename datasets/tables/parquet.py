"""A Parquet file, a column at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.datasets.tables import arrow_columns
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def names(path: Path) -> list[str]:
    """The columns, and the index where pandas wrote one.

    Raises:
        InputError: no readable Parquet file.
    """
    with _readable(path):
        return list(_open(path).schema.names)


def index(path: Path) -> pd.RangeIndex:
    """The index of its columns; InputError as `names`."""
    with _readable(path):
        return arrow_columns.rows(_open(path).count_rows())


def read(path: Path, name: str) -> pd.Series:
    """A column as `arrow_columns.series` gives it; InputError as `names`."""
    with _readable(path):
        table = _open(path).to_table(columns=[name])
        table.validate(full=True)
        if len(table) != _open(path).count_rows():
            raise ValueError(f"column '{name}' is cut short")
        return arrow_columns.series(table, name)


def batches(path: Path, rows: int) -> Iterator[pa.Table]:
    """All columns, at most so many `rows` at a time; InputError as `names`."""
    import pyarrow as pa

    with _readable(path):
        left = _open(path).count_rows()
        for batch in _open(path).to_batches(batch_size=rows, fragment_readahead=1, batch_readahead=1):
            if len(batch):
                left -= len(batch)
                table = pa.Table.from_batches([batch])
                table.validate(full=True)
                yield table
        if left:
            raise ValueError("a column is cut short")


def _open(path: Path) -> Any:
    from pyarrow import dataset

    return dataset.dataset([str(path)], format="parquet")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a readable Parquet file ({reason}); write it again") from error
