"""One column of a user's file, whose errors name the line or row of each value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support.errors import InputError, shortened

if TYPE_CHECKING:
    import pandas as pd

LISTS = ("list", "large_list", "fixed_size_list")
NESTED = (*LISTS, "struct", "map")
"""How Arrow's types of them begin"""


@dataclass(frozen=True)
class Places:
    """Where the rows of several files stand that follow one another."""

    paths: tuple[Path, ...]
    indexes: tuple[pd.Index, ...]
    """Of each file's rows, as that of `Cells.values` where there is one file"""

    @cached_property
    def ends(self) -> npt.NDArray[np.int64]:
        """int64[files]: how many rows there are up to each file's last."""
        return np.cumsum([len(index) for index in self.indexes])

    def files(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The file of each of the rows, int64[n]."""
        return np.searchsorted(self.ends, rows, side="right")

    def of(self, row: int) -> tuple[Path, str]:
        """The file of a row, counted over all files from 0, and its place there: "line 3"."""
        file = int(self.files(np.array([row]))[0])
        index = self.indexes[file]
        return self.paths[file], f"{index.name or 'line'} {index[row - self.ends[file] + len(index)]}"


@dataclass(frozen=True)
class Cells:
    """The values of one column."""

    path: Path
    column: str
    values: pd.Series
    """Indexed by the line or row of each value in the file; the name of the index is "line" or "row"."""
    places: Places | None = None
    """Where there are several files: of the rows that index `values`"""

    def __len__(self) -> int:
        return len(self.values)

    def place(self, at: int) -> str:
        """Where value number `at` stands: "line 3", or, of several files, "part-1.csv, line 3"."""
        path, line = self._place(at)
        return line if self.places is None else f"{path.name}, {line}"

    def wrong(self, at: int, problem: str) -> InputError:
        """An error that names value number `at`; `problem` goes on from "'x' in column 'y' "."""
        return self.error(at, f"'{self.shown(at)}' in column '{self.column}' {problem}")

    def shown(self, at: int) -> str:
        """Value number `at` as it fits into a sentence."""
        text = str(self.values.iloc[at])
        text = text if text.isprintable() else ascii(text)[1:-1]
        return shortened(text)

    def error(self, at: int, message: str) -> InputError:
        """An error at value number `at`."""
        path, line = self._place(at)
        return InputError(f"{path}, {line}: {message}")

    def shareable(self, error: InputError) -> str:
        """What an error says, without the folder it is in, for a board may be shown elsewhere."""
        if self.places is None:
            return str(error).removeprefix(str(self.path)).lstrip(",: ")
        paths = {str(path.parent) for path in self.places.paths}
        inside = next((path for path in paths if str(error).startswith(path)), "")
        return str(error).removeprefix(inside).lstrip("/\\,: ")

    def hint(self, at: int) -> str:
        """What to do about a decimal comma, where value number `at` has one."""
        comma = re.fullmatch(r"\s*[+-]?[0-9]+,[0-9]+\s*", str(self.values.iloc[at]))
        return " (write a point for the decimal comma)" if comma else ""

    def take(self, kept: npt.NDArray[np.bool_]) -> Cells:
        """The given values."""
        return replace(self, values=self.values[kept])

    def missing(self) -> npt.NDArray[np.bool_]:
        """bool[n]: which values are absent: empty text, null or NaN."""
        empty = self.values.isna().to_numpy(dtype=bool)
        kind = self.arrow_type()
        if kind.startswith("float") or kind in ("double", "halffloat"):
            return empty | np.isnan(self.values.to_numpy(dtype=np.float64, na_value=np.nan))
        if kind in ("", "string", "large_string", "string_view"):
            return empty | self.values.str.strip().eq("").fillna(True).to_numpy(dtype=bool)
        return empty

    def _place(self, at: int) -> tuple[Path, str]:
        index = self.values.index
        if self.places is None:
            return self.path, f"{index.name or 'line'} {index[at]}"
        return self.places.of(int(index[at]))

    @property
    def is_nested(self) -> bool:
        """Whether each value is a list, an object or a map, by the column's type."""
        return self.arrow_type().startswith(NESTED)

    def arrow_type(self) -> str:
        """The type of a Parquet column; "" for a column of a text file."""
        return str(getattr(self.values.dtype, "pyarrow_dtype", ""))
