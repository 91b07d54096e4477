"""A table of named columns, in one file or in several whose rows follow one another, of any format."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval_leaderboard.datasets.tables import (
    arrow_columns,
    columns,
    files,
    json_lines,
    packed,
    parquet,
    text_file,
)
from retrieval_leaderboard.datasets.tables.cells import Cells, Places
from retrieval_leaderboard.datasets.tables.files import Found
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

NAMELESS = re.compile(r"(__index_level_[0-9]+__)?")
"""How an index without a name is called in pandas' Parquet, and in its CSV"""
SPOKEN = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "pipes", " ": "spaces"}


@dataclass(frozen=True)
class TableFile:
    """The columns of a file."""

    path: Path
    names: list[str]
    column: Callable[[str], pd.Series]
    """A column by its name, indexed by line or row"""
    index: Callable[[], pd.Index]
    """Of its columns"""
    quoted_lines: int = 0
    """Lines inside quoted fields, which are no rows"""
    nested: Mapping[str, int] = field(default_factory=dict)
    """Column → line with a list or an object, in a format that has such beside text"""
    optional: bool = False
    """Whether the format has only those columns in which a row has a value"""


@dataclass(frozen=True)
class SourceTable:
    """The columns of a table; each of its files has all of them."""

    files: tuple[TableFile, ...]
    names: list[str]
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Of the first file, for messages on all of them."""
        return self.files[0].path

    @property
    def nested(self) -> set[str]:
        """The columns that hold lists or objects, in a format that has such beside text."""
        return {name for file in self.files for name in file.nested}

    def column(self, name: str) -> pd.Series:
        """A column by its name, indexed by line or row; by its place from 0 where there are several files."""
        import pandas as pd

        parts = [file.column(name) for file in self.files]
        return parts[0] if len(parts) == 1 else pd.concat(self._of_one_type(name, parts), ignore_index=True)

    def cells(self, name: str) -> Cells:
        """A column whose errors name their file and their line or row.

        Raises:
            InputError: it holds lists or objects, or values of several types.
        """
        for file in self.files:
            if name in file.nested:
                raise InputError(
                    f"{file.path}, line {file.nested[name]}: '{name}' holds a list or an object; write a row "
                    "for each of its values"
                )
        return Cells(self.path, name, self.column(name), self.places)

    @property
    def places(self) -> Places | None:
        """Where the rows of several files stand; None where there is one."""
        if len(self.files) == 1:
            return None
        return Places(tuple(each.path for each in self.files), tuple(each.index() for each in self.files))

    def _of_one_type(self, name: str, parts: list[pd.Series]) -> list[pd.Series]:
        import pyarrow as pa

        try:
            return arrow_columns.one_type(parts)
        except (TypeError, pa.ArrowException) as error:
            types = {
                arrow_columns.type_of(part): file.path for part, file in zip(parts, self.files, strict=True)
            }
            listed = ", ".join(f"{kind} in {path}" for kind, path in types.items() if kind != pa.null())
            raise InputError(f"column '{name}' has several types ({listed}); write one type") from error


def open_table(path: Path, given: Mapping[str, str]) -> SourceTable:
    """Open a file, a folder of files or those of a pattern; `given` as for `open_files`.

    Raises:
        InputError: as `files.find`, `open_files` and `joined`.
    """
    found, notes = files.find(path)
    return joined(open_files(found, given), notes)


def open_files(found: Sequence[Found], given: Mapping[str, str]) -> list[TableFile]:
    """The files with something in them; `given`, as for `columns.find`, helps to find their separators.

    Raises:
        InputError: a file that cannot be read, or with nothing in it where there is no other.
    """
    opened = [_open(each, given, alone=len(found) == 1) for each in found]
    full = [each for each in opened if each is not None]
    if not full:
        raise InputError(f"{found[0].path}: the file is empty, and so are the others")
    return full


def joined(parts: Sequence[TableFile], notes: tuple[str, ...] = ()) -> SourceTable:
    """One table of files; `notes` come before theirs.

    Raises:
        InputError: the files have different columns.
    """
    first = parts[0]
    names = list(dict.fromkeys(name for file in parts for name in file.names))
    for other in parts[1:]:
        if set(other.names) != set(first.names) and not (first.optional and other.optional):
            raise InputError(
                f"{other.path} has other columns than {first.path}: {', '.join(other.names)} and not "
                f"{', '.join(first.names)}; files of one log have the same"
            )
    theirs = notes_on_quotes([(file.path, file.quoted_lines) for file in parts])
    return SourceTable(tuple(parts), first.names if len(parts) == 1 else names, (*notes, *theirs))


def notes_on_quotes(lines: Sequence[tuple[Path, int]]) -> list[str]:
    """What to know of files, each with its number of lines inside quoted fields."""
    inside = "lines lie inside quoted fields and are no rows: is a quote stray?"
    several = len(lines) > 1
    return [f"{path.name}: " * several + f"{count:,} {inside}" for path, count in lines if count]


def without_index(file: TableFile, named: Collection[str]) -> TableFile:
    """`file` without an index that has no name, unless it is among the columns that are `named`."""
    kept = {*named} - {""}
    return replace(file, names=[name for name in file.names if name in kept or not NAMELESS.fullmatch(name)])


def of_frame(frame: pd.DataFrame) -> TableFile:
    """A pandas table as its Parquet file would be, rows counted from 1.

    Raises:
        InputError: columns of one name, or one whose values are of several types; or, when it is read, a
            column of a type that Parquet has not.
    """
    import pyarrow as pa

    path = Path("DataFrame")
    with _of_frame():
        table = pa.Table.from_pandas(frame)

    def column(name: str) -> pd.Series:
        with _of_frame():
            return arrow_columns.series(table, name)

    return TableFile(path, list(table.schema.names), column, lambda: arrow_columns.rows(len(table)))


@contextmanager
def _of_frame() -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        reason = " ".join(map(str, error.args))
        raise InputError(f"DataFrame: {reason}; give each column a name and one plain type") from error


def _open(found: Found, given: Mapping[str, str], alone: bool) -> TableFile | None:
    """A file; None for one with nothing in it that is not `alone`, as Spark writes them."""
    path, kind = found.path, packed.kind(found.path)
    if kind == files.PARQUET:
        if path.suffix.lower() != kind:
            raise InputError(f"{path}: Parquet is packed by itself; unpack the file")
        return with_partition(
            TableFile(path, parquet.names(path), partial(parquet.read, path), lambda: parquet.index(path)),
            found,
        )
    content = packed.read(path)
    if not alone and not content.strip():
        return None
    content = text_file.text(path, content)
    if kind in files.JSON:
        parsed = json_lines.parse(path, content)
        table = TableFile(
            path,
            list(parsed.columns),
            parsed.column,
            lambda: parsed.index,
            nested=parsed.nested,
            optional=True,
        )
    else:
        table = _of_text(path, content, (files.TEXTS | files.DESCRIBED)[kind], kind == ".csv", given)
    return with_partition(table, found)


def with_partition(file: TableFile, found: Found) -> TableFile:
    """`file` with the columns that its folders name."""
    import pandas as pd

    if not found.partition:
        return file
    for name in found.partition:
        if name in file.names:
            raise InputError(f"{file.path}: '{name}' is a column of the file and the name of its folder")

    def column(name: str) -> pd.Series:
        if name not in found.partition:
            return file.column(name)
        return pd.Series(found.partition[name], index=file.index(), dtype=object)

    return TableFile(
        file.path,
        [*file.names, *found.partition],
        column,
        file.index,
        file.quoted_lines,
        file.nested,
        file.optional,
    )


def _of_text(
    path: Path, content: bytes, separators: str, quoted: bool, given: Mapping[str, str]
) -> TableFile:
    separator = separator_of(path, content, separators, quoted, given)
    names = text_file.header(path, content, separator, quoted)
    parsed = text_file.parse(path, content, separator, quoted)
    frame, quoted_lines = parsed.frame, parsed.lines_in_quotes
    return TableFile(path, names, lambda name: frame[name], lambda: frame.index, quoted_lines)


def separator_of(path: Path, content: bytes, separators: str, quoted: bool, given: Mapping[str, str]) -> str:
    """The first separator that gives columns for user and item; else one that splits."""
    for separator in separators:
        names = text_file.header(path, content, separator, quoted)
        try:
            columns.find(path, names, given)
        except InputError:
            continue
        return separator
    if len(text_file.header(path, content, separators[0], quoted)) == 1:
        usual = " or ".join(SPOKEN[each] for each in separators)
        split = [each for each in separators if len(text_file.header(path, content, each, quoted)) > 1]
        if not split:
            first = text_file.header(path, content, separators[0], quoted)[0]
            raise InputError(
                f"{path}: its first line is one field, '{first}'; write the names there, separated by {usual}"
            )
        return split[0]
    return separators[0]
