"""Text tables read so that every error can name its file and line."""

from __future__ import annotations

import codecs
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from support.errors import InputError
from support.files import contents

if TYPE_CHECKING:
    import pandas as pd


def read(
    path: Path,
    separator: str,
    names: list[str] | None = None,
    encoding: str = "utf-8",
    quoted: bool = False,
    numeric: bool = False,
) -> pd.DataFrame:
    """All columns of a text table, the index the line of each row in the file.

    Args:
        path: the file; its blank lines are left out.
        separator: between fields, of any length.
        names: of the columns, where the file has no header.
        encoding: of the text.
        quoted: whether fields may stand in double quotes.
        numeric: whether columns that hold nothing but numbers become numbers; else all is text.

    Raises:
        InputError: a file that cannot be read, nothing in it, text that is not in `encoding`, or a row of
            too many fields.
    """
    import pandas as pd

    content = contents(path)
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise InputError(f"{path}: the file is empty")
    if len(separator) > 1:
        # pandas reads a separator of one character ten times as fast.
        content, separator = content.replace(separator.encode(), b"\x1f"), "\x1f"
    try:
        frame = pd.read_csv(
            io.BytesIO(content),
            sep=separator,
            header=0 if names is None else None,
            names=names,
            dtype=None if numeric else str,
            low_memory=False,
            keep_default_na=False,
            skip_blank_lines=False,
            quoting=0 if quoted else 3,
            encoding=encoding,
        )
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the text is not {encoding} at byte {error.start}; convert it") from error
    except pd.errors.ParserError as error:
        raise InputError(f"{path}: {str(error).strip()}; give each line the same fields") from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path}: rows have more fields than the header has columns; make them equal")
    frame.index = pd.RangeIndex(1 if names else 2, len(frame) + (1 if names else 2))
    blank = (frame.isna() | (frame == "")).all(axis=1)
    return frame[~blank] if blank.any() else frame


def text(path: Path, frame: pd.DataFrame, column: str) -> pd.Series:
    """A column that may not be empty anywhere, without surrounding blanks.

    Raises:
        InputError: a missing value (file and line).
    """
    values = frame[column].astype(str).str.strip()
    missing = np.flatnonzero(frame[column].isna() | (values == ""))
    if len(missing):
        raise _missing(path, frame, column, missing[0])
    return values


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
