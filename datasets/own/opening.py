"""Tables of items and users, opened whatever their format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.datasets.tables import parquet, text_file
from retrieval_leaderboard.datasets.tables.source_table import SourceTable
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {".csv": ",\t;| ", ".tsv": "\t", ".item": "\t, ", ".user": "\t, "}
"""suffix → what may stand between fields, the usual first"""
SUFFIXES = (*SEPARATORS, ".jsonl", ".parquet")


def open_table(path: Path) -> SourceTable:
    """The table in a file, or a folder of .parquet files.

    Raises:
        InputError: no such file, one of another kind, or one that cannot be read.
    """
    suffix = path.suffix.lower()
    if path.is_dir() and parquet.parts(path):
        suffix = ".parquet"
    elif suffix not in SUFFIXES:
        raise InputError(f"{path}: a file of items or users ends in {', '.join(SUFFIXES)}")
    elif not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if suffix == ".parquet":
        return SourceTable(path, parquet.names(path), lambda name: parquet.read(path, name))
    if suffix == ".jsonl":
        return _open_json(path)
    return _open_text(path, SEPARATORS[suffix], suffix == ".csv")


def of_frame(frame: pd.DataFrame, where: str) -> SourceTable:
    """A DataFrame as its Parquet file would be, rows counted from 1; `where` stands for its path.

    Raises:
        InputError: a column of values of several types.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(frame)
    except (pa.ArrowException, ValueError, TypeError) as error:
        reason = " ".join(map(str, error.args))
        raise InputError(f"{where}: {reason}; give each column one type") from error

    def column(name: str) -> pd.Series:
        values = pd.Series(pd.arrays.ArrowExtensionArray(table.column(name)))
        values.index = pd.RangeIndex(1, len(values) + 1, name="row")
        return values

    return SourceTable(Path(where), list(table.schema.names), column)


def _open_text(path: Path, separators: str, quoted: bool) -> SourceTable:
    content = text_file.text(path)
    fields = [len(text_file.header(content, each, quoted)) for each in separators]
    splits = [each for each, count in zip(separators, fields, strict=True) if count > 1]
    if not splits:
        first = text_file.header(content, separators[0], quoted)[0]
        raise InputError(f"{path}: its first line is one field, '{first}'; write an id and features there")
    names = text_file.header(content, splits[0], quoted)
    frame = text_file.parse(path, content, splits[0], quoted).frame
    return SourceTable(path, names, lambda name: frame[name])


def _open_json(path: Path) -> SourceTable:
    """An object a line; lists are their JSON."""
    import pandas as pd

    rows: dict[int, dict[str, Any]] = {}
    for number, line in enumerate(text_file.text(path).splitlines(), start=1):
        if line.strip():
            rows[number] = _object(path, number, line)
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    return SourceTable(
        path, names, lambda name: pd.Series({at: _as_text(row.get(name)) for at, row in rows.items()}, dtype=object)
    )


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line, parse_int=str, parse_float=str)
    except ValueError as error:
        raise InputError(f"{path}, line {number}: no JSON ({error}); write an object a line") from error
    if not isinstance(row, dict):
        raise InputError(f"{path}, line {number}: no JSON object; write an object a line")
    return row


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
