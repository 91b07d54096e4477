"""Text tables read so that every error can name its file and line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import contents

if TYPE_CHECKING:
    import pandas as pd


def read(
    path: Path,
    separator: str,
    names: list[str],
    encoding: str = "utf-8",
    numeric: bool = False,
) -> pd.DataFrame:
    """All columns of a text table without header, the index the line of each row in the file.

    Args:
        path: the file; its blank lines are left out.
        separator: between fields, of any length.
        names: of the columns.
        encoding: of the text.
        numeric: whether columns that hold nothing but numbers become numbers; else all is text.

    Raises:
        InputError: a file that cannot be read, nothing in it, text that is not in `encoding`, or a row of
            too many fields.
    """
    content = contents(path).removeprefix(codecs.BOM_UTF8)
    refuse_empty(path, content)
    if len(separator) > 1:
        # pandas reads a separator of one character ten times as fast.
        content, separator = content.replace(separator.encode(), b"\x1f"), "\x1f"
    return without_blank_lines(rows(path, content, separator, names, encoding, numeric=numeric))


def refuse_empty(path: Path, content: bytes) -> None:
    """InputError where there is nothing but blanks."""
    if not content.strip():
        raise InputError(f"{path}: the file is empty")


def rows(
    path: Path,
    content: bytes,
    separator: str,
    names: list[str],
    encoding: str,
    header: int | None = None,
    quoted: bool = False,
    numeric: bool = False,
    above: int = 0,
) -> pd.DataFrame:
    """What `read` says, of `content`, with its blank lines.

    Args:
        path: of the file, for messages.
        content: the bytes of the table.
        separator: one character.
        names: of the columns.
        encoding: of the text.
        header: blank lines above a header, which `names` replaces; None where there is none.
        quoted: whether fields may stand in double quotes.
        numeric: as for `read`.
        above: lines of the file that come before `content`.

    Raises:
        InputError: as `read`, and for a quote that is never closed.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(
            io.BytesIO(content),
            sep=separator,
            header=header,
            names=names,
            dtype=None if numeric else str,
            low_memory=False,
            keep_default_na=False,
            skip_blank_lines=False,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            encoding=encoding,
        )
    except UnicodeDecodeError as error:
        raise _not_decoded(path, content, encoding, above) from error
    except pd.errors.ParserError as error:
        raise _not_parsed(path, content, separator, quoted, str(error), above) from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path}: rows have more fields than the header has columns; make them equal")
    first = above + (1 if header is None else header + 2)
    frame.index = pd.RangeIndex(first, len(frame) + first)
    return frame


def without_blank_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with something in them, that is more than separators."""
    blank = (frame.isna() | (frame == "")).all(axis=1)
    return frame[~blank] if blank.any() else frame


def _not_decoded(path: Path, content: bytes, encoding: str, above: int) -> InputError:
    where = ""
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        where = f", line {above + line_at(content, error.start)}"
    return InputError(f"{path}{where}: the text is not {encoding}; save the file as UTF-8")


def _not_parsed(
    path: Path, content: bytes, separator: str, quoted: bool, problem: str, above: int
) -> InputError:
    """An error with the line in the file: pandas counts rows, of which each may have several lines."""
    fields = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", problem)
    unclosed = re.search(r"EOF inside string starting at row (\d+)", problem)
    if not fields and not unclosed:
        return InputError(f"{path}: {problem.strip()}; give each line the same fields")
    record = int(fields[2]) - 1 if fields else int(unclosed[1]) if unclosed else 0
    lines = record_lines(content, separator) if quoted else []
    line = above + (lines[record] if record < len(lines) else record + 1)
    if fields:
        return InputError(
            f"{path}, line {line}: {fields[3]} fields, not {fields[1]}; give each line the same fields, and "
            "write no separator inside a field"
        )
    return InputError(f"{path}, line {line}: a quote is opened here and never closed; close or remove it")


def record_lines(content: bytes, separator: str) -> list[int]:
    """The line at which each record begins; those after what Python's reader does not take are left out."""
    reader = csv.reader(io.StringIO(content.decode(errors="replace"), newline=None), delimiter=separator)
    starts = [1]
    with suppress(csv.Error):
        starts += [reader.line_num + 1 for _ in reader]
    return starts[:-1]


def newlines(content: bytes) -> int:
    """The ends of lines: LF, CR LF and CR."""
    return content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")


def line_at(content: bytes, at: int) -> int:
    """The line of a byte, from 1."""
    return newlines(content[:at]) + 1


def numbers(path: Path, frame: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    """A column of finite numbers, float64[n].

    Raises:
        InputError: something else, or nothing (file and line).
    """
    import pandas as pd

    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        found = frame[column].iloc[wrong[0]]
        if pd.isna(found) or found == "":
            raise _missing(path, frame, column, wrong[0])
        raise InputError(
            f"{path}, {_place(frame, wrong[0])}: '{found}' in column '{column}' is not a number; correct it"
        )
    return values


def integers(path: Path, frame: pd.DataFrame, column: str) -> npt.NDArray[np.int64]:
    """A column of numbers without their fractions, int64[n].

    Raises:
        InputError: something else, nothing, or a number beyond 2⁵³ (file and line).
    """
    values = numbers(path, frame, column)
    huge = np.flatnonzero(np.abs(values) > 2**53)
    if len(huge):
        found = frame[column].iloc[huge[0]]
        raise InputError(f"{path}, {_place(frame, huge[0])}: {found} in column '{column}' is too large")
    return np.floor(values).astype(np.int64)


def _missing(path: Path, frame: pd.DataFrame, column: str, row: int) -> InputError:
    return InputError(f"{path}, {_place(frame, row)}: '{column}' is missing; give it a value")


def _place(frame: pd.DataFrame, row: int) -> str:
    return f"{frame.index.name or 'line'} {frame.index[row]}"
