"""A table of text or Parquet, some rows at a time: none is read twice, and each stands at its true line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval_leaderboard.datasets.tables import arrow_columns, delimited, files, packed, parquet, text_file
from retrieval_leaderboard.datasets.tables.files import Found
from retrieval_leaderboard.datasets.tables.source_table import TableFile, separator_of, with_partition
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

LONGEST = 8
"""Blocks that a row, or fields in quotes, may take at most"""
ROWS = 2**19
"""Of Parquet at a time"""


def in_parts(path: Path) -> bool:
    """Whether a file can be read some rows at a time: text and Parquet, yet no JSON lines."""
    return packed.kind(path) not in files.JSON


def chunks(found: Found, given: Mapping[str, str], size: int, alone: bool) -> Iterator[TableFile]:
    """The rows of a file in order, about `size` bytes of text at a time; `given` as for `columns.find`.

    A file with nothing in it that is not `alone` has none.

    Raises:
        InputError: JSON lines, which are read whole only, or as `open_table`.
    """
    path, kind = found.path, packed.kind(found.path)
    if kind in files.JSON:
        raise InputError(f"{path}: JSON lines are read whole; write Parquet or CSV, or leave --memory out")
    parts = _of_parquet(path) if kind == files.PARQUET else _of_text(path, kind, given, size, alone)
    for part in parts:
        yield with_partition(part, found)


def _of_parquet(path: Path) -> Iterator[TableFile]:
    first = 0
    for table in parquet.batches(path, ROWS):
        yield _of_table(path, table, first)
        first += len(table)


def _of_table(path: Path, table: pa.Table, first: int) -> TableFile:
    """Rows of a Parquet file; `first` others come before them."""
    index = arrow_columns.rows(len(table)) + first

    def column(name: str):
        return arrow_columns.series(table, name).set_axis(index)

    return TableFile(path, list(table.schema.names), column, lambda: index)


def _of_text(path: Path, kind: str, given: Mapping[str, str], size: int, alone: bool) -> Iterator[TableFile]:
    quoted = kind == ".csv"
    names: list[str] = []
    separator, above = "", 0
    for block in _blocks(path, size, quoted):
        if not names:
            if not alone and not block.strip():
                continue
            content = text_file.text(path, block)
            separator = separator_of(path, content, files.TEXTS[kind], quoted, given)
            names = text_file.header(path, content, separator, quoted)
            parsed = text_file.parse(path, content, separator, quoted)
        else:
            _refuse_nul(path, block, above)
            parsed = text_file.parse_more(path, block, names, separator, quoted, above)
        above += delimited.newlines(block)
        yield _of_frame(path, parsed.frame, parsed.lines_in_quotes)


def _of_frame(path: Path, frame: pd.DataFrame, quoted_lines: int) -> TableFile:
    return TableFile(path, list(frame.columns), lambda name: frame[name], lambda: frame.index, quoted_lines)


def _refuse_nul(path: Path, block: bytes, above: int) -> None:
    if b"\0" in block:
        line = above + delimited.line_at(block, block.index(b"\0"))
        raise InputError(f"{path}, line {line}: a NUL byte; save the file as UTF-8 text without them")


def _blocks(path: Path, size: int, quoted: bool) -> Iterator[bytes]:
    """The bytes of a text file in blocks of whole rows."""
    left, some = b"", False
    with packed.stream(path) as file:
        while data := file.read(size):
            if not left and any(data.startswith(mark) for mark in text_file.MARKS):
                raise InputError(f"{path}: save it as UTF-8 text, or leave --memory out")
            block = left + data
            end = _end_of_row(block, quoted)
            if not end and len(block) > LONGEST * size:
                raise InputError(
                    f"{path}: no row ends within {len(block):,} bytes: is a quote stray? Correct it, or "
                    "leave --memory out"
                )
            if end:
                some = True
                yield block[:end]
            left = block[end:]
    if left or not some:
        yield left


def _end_of_row(block: bytes, quoted: bool) -> int:
    """Where the last row that ends in `block` does; 0 where none does."""
    if not quoted or b'"' not in block:
        # A CR at the end may be the half of a CR LF.
        return block.rfind(b"\n") + 1 or (block.rfind(b"\r", 0, -1) + 1)
    values = np.frombuffer(block, np.uint8)
    within = np.cumsum(values == ord('"'), dtype=np.uint8) & 1  # Only whether it is odd counts.
    ends = np.flatnonzero((values == ord("\n")) & (within == 0))
    return int(ends[-1]) + 1 if len(ends) else 0
