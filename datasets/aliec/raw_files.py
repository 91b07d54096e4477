"""The official AliEC files, plain, gzipped or in a zip archive, read as streams of columns."""

from __future__ import annotations

import csv
import io
import re
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from retrieval_leaderboard.datasets.sources import archives
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError, shortened

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

ALIASES = {
    "user": ("user_id", "userid", "nick"),
    "userid": ("user_id", "user", "nick"),
    "customer": ("customer_id",),
}
"""Names the official description uses for columns that the official files call otherwise."""
UNKNOWN = ("", "NULL")
NO_CHARACTER = "\ufffd"
"""Takes the place of bytes that are not UTF-8"""
BLOCK_BYTES = 1 << 20
RETURN_SECONDS = 10
LINES_PER_REPORT = 100_000


@dataclass(frozen=True)
class Layout:
    """How a text table is written."""

    names: tuple[str, ...] = ()
    """Of the columns, where no header names them"""
    separator: str = ","
    quoted: bool = True
    """Whether fields may stand in double quotes; else a quote is a character"""
    block_bytes: int = BLOCK_BYTES
    """What is parsed at a time; no line may be longer"""


CSV = Layout()


@dataclass(frozen=True)
class RawFile:
    """One of the files, wherever it is packed."""

    path: Path
    """The CSV file, plain or .gz, or the .zip archive that holds it."""
    member: str = ""
    """Name inside the archive."""

    def __str__(self) -> str:
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    @property
    def name(self) -> str:
        """The file's own name, wherever it is packed."""
        return PurePosixPath(self.member or self.path.name).name

    @property
    def identity(self) -> tuple[str, str, int, int]:
        """Changes whenever the content may have: name, member, size, time of change."""
        status = self.path.stat()
        return self.path.name, self.member, status.st_size, status.st_mtime_ns

    @contextmanager
    def open(self) -> Iterator[tuple[IO[bytes], int, Callable[[], int]]]:
        """Yield the decompressed stream, the bytes to read in all, and how to ask for those read so far.

        Raises:
            InputError: The file cannot be opened, or turns out damaged while it is read.
        """
        try:
            with archives.stream(self.path, self.member) as opened:
                yield opened
        except archives.UNREADABLE as error:
            raise InputError(f"{self} cannot be read ({error}): get the file again") from error


def find_unpacked(folder: Path, name: str) -> RawFile | None:
    """The file `name` in `folder`: plain, else gzipped, else in a folder of its own name."""
    paths = (folder / name, folder / f"{name}.gz", folder / name / name)
    return next((RawFile(path) for path in paths if path.is_file()), None)


def find_raw_file(folder: Path, name: str) -> RawFile | None:
    """The file `name` in `folder`: plain, else gzipped, else inside any zip archive there.

    Raises:
        InputError: A zip archive that had to be looked into is damaged.
    """
    if found := find_unpacked(folder, name):
        return found
    for path in sorted(folder.glob("*.zip")):
        with archives.opened(path) as archive:
            members = [m for m in archive.namelist() if PurePosixPath(m).name == name]
        if members:
            return RawFile(path, members[0])
    return None


def read_columns(source: RawFile, types: dict[str, str], layout: Layout = CSV) -> Iterator[pa.RecordBatch]:
    """Stream the named columns of `source`, a block of rows at a time, with progress.

    Args:
        source: A text table.
        types: Column → "int64" (a number in every row), "double" (null where empty or NULL) or
            "string" (null where empty or NULL).
        layout: How it is written; by default it is a CSV file with a header.

    Raises:
        InputError: The file is empty, lacks a column, is damaged, or has a row that does not fit
            (its line is named).
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    with source.open() as (stream, total, position):
        names = list(layout.names) or _header(source, stream.readline(), types, layout.separator)
        reading = arrow_csv.ReadOptions(column_names=names, block_size=layout.block_bytes)
        parsing = arrow_csv.ParseOptions(
            delimiter=layout.separator, quote_char='"' if layout.quoted else False
        )
        converting = arrow_csv.ConvertOptions(
            column_types={name: pa.type_for_alias(kind) for name, kind in types.items()},
            include_columns=list(types),
            null_values=list(UNKNOWN),
            strings_can_be_null=True,
        )
        with progress.bar(f"reading {source.name}", total >> 20, "MiB") as advance:
            done = good_rows = 0
            try:
                for batch in _batches(stream, reading, parsing, converting):
                    _check_complete(batch, types)
                    yield batch
                    good_rows += len(batch)
                    advance((position() >> 20) - done)
                    done = position() >> 20
            except pa.ArrowInvalid as error:
                raise _explain(source, layout, names, types, good_rows, str(error)) from error


class _Lent:
    """A stream for Arrow alone to hold, so that one can tell when it no longer does."""

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self.read = stream.read

    def close(self) -> None:
        """The stream is its owner's to close."""


def _batches(
    stream: IO[bytes],
    reading: arrow_csv.ReadOptions,
    parsing: arrow_csv.ParseOptions,
    converting: arrow_csv.ConvertOptions,
) -> Iterator[pa.RecordBatch]:
    """Blocks of rows of `stream`, which no thread of Arrow's holds afterwards.

    Its reading thread may drop the stream a moment after the last block. In an interpreter that is
    shutting down by then, as after a sentence on bad input, that aborts the process (apache/arrow#34314).
    """
    from pyarrow import csv as arrow_csv

    lent = _Lent(stream)
    held = weakref.ref(lent)
    try:
        yield from arrow_csv.open_csv(lent, reading, parsing, converting)
    finally:
        del lent
        patience = time.monotonic() + RETURN_SECONDS
        # A callback would run Python in a thread that can lose the interpreter: look instead.
        while held() is not None and time.monotonic() < patience:
            time.sleep(0.001)


def _header(source: RawFile, line: bytes, types: dict[str, str], separator: str) -> list[str]:
    """Column names of the file in its order, without whitespace, aliases replaced by the official name."""
    text = line.decode("utf-8-sig", "replace")
    try:
        names = [name.strip() for name in next(csv.reader([text], delimiter=separator), [])]
    except csv.Error as error:
        raise InputError(f"{source}, line 1: {error}; get the file again") from error
    if not any(names):
        raise InputError(f"{source} is empty: get the file again")
    for wanted in types:
        alias = next((name for name in ALIASES.get(wanted, ()) if name in names), None)
        if wanted not in names and alias is None:
            raise InputError(f"{source} has no column '{wanted}': its header is {','.join(names)}")
        if wanted not in names:
            names[names.index(str(alias))] = wanted
    return names


def _check_complete(batch: pa.RecordBatch, types: dict[str, str]) -> None:
    """Raise ArrowInvalid, as for any other row that does not fit, where a number is missing."""
    import pyarrow as pa

    for name, kind in types.items():
        if kind == "int64" and batch.column(name).null_count:
            raise pa.ArrowInvalid(f"column {name} has an empty field")


def _explain(
    source: RawFile,
    layout: Layout,
    names: list[str],
    types: dict[str, str],
    good_rows: int,
    complaint: str,
) -> InputError:
    """What is wrong in which line; the fast parser does not say, so the file is read again, slowly."""
    rows = 0
    for line, row in _lines(source, layout):
        rows += 1
        if rows <= good_rows:
            continue
        if len(row) != len(names):
            expected = f"there should be {len(names)}" if layout.names else f"the header has {len(names)}"
            return InputError(f"{source}, line {line}: {len(row)} fields where {expected}")
        for name, kind in types.items():
            field = row[names.index(name)]
            if kind == "string" and NO_CHARACTER in field:
                return InputError(f"{source}, line {line}: the text in column '{name}' is not UTF-8")
            if not _fits(field, kind):
                return InputError(
                    f"{source}, line {line}: '{shortened(field)}' in column '{name}' is not a number"
                )
    if not rows:
        found = "is empty" if layout.names else "has a header and no rows"
        return InputError(f"{source} {found}: get the file again")
    return InputError(f"{source} cannot be parsed ({complaint}): get the file again")


def _lines(source: RawFile, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every row that is not blank, after the header."""
    with source.open() as (stream, total, position):
        text = io.TextIOWrapper(stream, "utf-8", "replace", newline="")
        reader = csv.reader(
            text,
            delimiter=layout.separator,
            quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE,
        )
        if not layout.names:
            next(reader, None)
        with progress.bar(f"looking for the bad line of {source.name}", total >> 20, "MiB") as advance:
            done = 0
            most = csv.field_size_limit(layout.block_bytes)
            try:
                for row in reader:
                    if row:
                        yield reader.line_num, row
                    if reader.line_num % LINES_PER_REPORT == 0:
                        advance((position() >> 20) - done)
                        done = position() >> 20
            except csv.Error as error:
                raise InputError(f"{source}, line {reader.line_num}: {error}; get the file again") from error
            finally:
                csv.field_size_limit(most)


def _fits(field: str, kind: str) -> bool:
    if kind == "int64":
        whole = re.fullmatch(r"\s*-?0{0,99}\d{1,19}\s*", field) is not None
        return whole and -(2**63) <= int(field) < 2**63
    if kind == "double" and field not in UNKNOWN:
        try:
            float(field)
        except ValueError:
            return False
    return True
