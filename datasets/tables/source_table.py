"""A user's file as a table of named columns, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval_leaderboard.datasets.tables import columns, parquet, text_file
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {".csv": ",\t;| ", ".tsv": "\t", ".inter": "\t, "}
"""suffix → what may stand between fields, the usual first"""
SUFFIXES = (*SEPARATORS, ".parquet")
SPOKEN = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "pipes", " ": "spaces"}


@dataclass(frozen=True)
class SourceTable:
    """The columns of a file."""

    path: Path
    names: list[str]
    column: Callable[[str], pd.Series]
    """A column by its name, indexed by line or row"""
    notes: tuple[str, ...] = ()

    def cells(self, name: str) -> Cells:
        """A column whose errors name their line or row."""
        return Cells(self.path, name, self.column(name))


def open_table(path: Path, given: Mapping[str, str]) -> SourceTable:
    """Open a file; `given`, as for `columns.find`, helps to find the separator of a text file.

    Raises:
        InputError: no such file, one of another kind, or one that cannot be read.
    """
    suffix = path.suffix.lower()
    if path.is_dir() and parquet.parts(path):
        suffix = ".parquet"
    elif suffix not in SUFFIXES:
        raise InputError(f"{path}: a file of interactions ends in {', '.join(SUFFIXES)}")
    elif not path.is_file():
        raise InputError(f"{path}: there is no such file, nor a folder with .parquet files")
    if suffix == ".parquet":
        return SourceTable(path, parquet.names(path), lambda name: parquet.read(path, name))
    return _open_text(path, SEPARATORS[suffix], suffix == ".csv", given)


def _open_text(path: Path, separators: str, quoted: bool, given: Mapping[str, str]) -> SourceTable:
    content = text_file.text(path)
    separator = _separator(path, content, separators, quoted, given)
    names = text_file.header(content, separator, quoted)
    parsed = text_file.parse(path, content, separator, quoted)
    inside = f"{parsed.lines_in_quotes:,} lines lie inside quoted fields and are no rows: is a quote stray?"
    notes = (inside,) if parsed.lines_in_quotes else ()
    return SourceTable(path, names, lambda name: parsed.frame[name], notes)


def _separator(path: Path, content: bytes, separators: str, quoted: bool, given: Mapping[str, str]) -> str:
    """The first separator that gives columns for user and item; else one that splits."""
    for separator in separators:
        names = text_file.header(content, separator, quoted)
        try:
            columns.find(path, names, given)
        except InputError:
            continue
        return separator
    if len(text_file.header(content, separators[0], quoted)) == 1:
        usual = " or ".join(SPOKEN[each] for each in separators)
        split = [each for each in separators if len(text_file.header(content, each, quoted)) > 1]
        if not split:
            first = text_file.header(content, separators[0], quoted)[0]
            raise InputError(
                f"{path}: its first line is one field, '{first}'; write the names there, separated by {usual}"
            )
        return split[0]
    return separators[0]
