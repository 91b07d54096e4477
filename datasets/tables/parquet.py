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
