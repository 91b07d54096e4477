"""A user's own text table, whatever its encoding and separator, with the true line of every row."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval_leaderboard.datasets.tables import delimited
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

HEADER_BYTES = 1 << 20
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""byte-order mark → encoding; the longer ones first, for they begin like the shorter"""


class Unquoted(csv.excel):
    """Fields that are never quoted."""

    quoting = csv.QUOTE_NONE


@dataclass(frozen=True)
class Parsed:
    """A text table."""

    frame: pd.DataFrame
    """Its rows, the index the line at which each begins in the file"""
    lines_in_quotes: int = 0
    """Lines that lie inside quoted fields and begin no row"""


def text(path: Path, content: bytes) -> bytes:
    """A file's `content` as UTF-8 without a byte-order mark; UTF-16 and UTF-32 are known by theirs.

    Raises:
        InputError: nothing in it, a NUL byte (the line), or text that is not what its mark says.
    """
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            try:
                content = content.decode(encoding).encode()
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path}: not whole {encoding} text ({error.reason}); save it again"
                ) from error
            break
    content = content.removeprefix(codecs.BOM_UTF8)
    delimited.refuse_empty(path, content)
    if b"\0" in content:
        line = delimited.line_at(content, content.index(b"\0"))
        raise InputError(f"{path}, line {line}: a NUL byte; save the file as UTF-8 text without them")
    return content


def header(path: Path, content: bytes, separator: str, quoted: bool) -> list[str]:
    """The names in the first line that is not blank; InputError where one is too long for a name."""
    dialect = csv.excel if quoted else Unquoted
    line = csv.reader([_first_line(content)], delimiter=separator, dialect=dialect)
    try:
        return [name.strip() for name in next(line, [])]
    except csv.Error as error:
        raise InputError(f"{path}: its first line holds no names of columns ({error})") from error


def parse(path: Path, content: bytes, separator: str, quoted: bool) -> Parsed:
    """All rows below the header of a text table, as text; blank lines are left out.

    Args:
        path: of the file, for messages.
        content: as `text` gives it.
        separator: one character.
        quoted: whether fields may stand in double quotes.

    Raises:
        InputError: text that is not UTF-8, a quote that is never closed, or a row of too many fields (the
            line).
    """
    names = header(path, content, separator, quoted)
    above = delimited.newlines(content[: _blank_start(content)])
    places = [*map(str, range(len(names)))]
    frame = delimited.rows(path, content, separator, places, "utf-8", above, quoted)
    starts = slice(above + 1, None)
    return _placed(frame, content, names, separator, starts, 0)


def parse_more(
    path: Path, content: bytes, names: list[str], separator: str, quoted: bool, above: int
) -> Parsed:
    """Rows that follow others of a file, as `parse` gives those: `above` lines of it come before `content`.

    Raises:
        InputError: as `parse`.
    """
    places = [*map(str, range(len(names)))]
    frame = delimited.rows(path, content, separator, places, "utf-8", quoted=quoted, above=above)
    return _placed(frame, content, names, separator, slice(None), above)


def _placed(
    frame: pd.DataFrame, content: bytes, names: list[str], separator: str, records: slice, above: int
) -> Parsed:
    """The rows at their lines in the file; they are the `records` of `content`."""
    import pandas as pd

    lines = delimited.newlines(content) + (not content.endswith((b"\n", b"\r")))
    inside = lines - (records.start or 0) - len(frame)
    if inside:
        starts = delimited.record_lines(content, separator)[records]
        # Where the two readers differ, the number of the record is all that is known.
        known = len(starts) == len(frame)
        frame.index = pd.Index(starts) + above if known else frame.index.rename("record")
    frame.columns = pd.Index(names)
    return Parsed(delimited.without_blank_lines(frame), inside)


def _first_line(content: bytes) -> str:
    """The first line that is not blank."""
    start = content[_blank_start(content) :][:HEADER_BYTES]
    return start.splitlines()[0].decode(errors="replace")


def _blank_start(content: bytes) -> int:
    """The bytes of blank lines before the first that is not."""
    return len(content) - len(content.lstrip(b"\r\n"))
