"""One column of a user's file, whose errors name the line or row of each value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Cells:
    """The values of one column."""

    path: Path
    column: str
    values: pd.Series
    """Indexed by the line or row of each value in the file; the name of the index is "line" or "row"."""

    def __len__(self) -> int:
        return len(self.values)

    def place(self, at: int) -> str:
        """Where value number `at` stands: "line 3"."""
        return f"{self.values.index.name or 'line'} {self.values.index[at]}"

    def wrong(self, at: int, problem: str) -> InputError:
        """An error that names value number `at`; `problem` goes on from "'x' in column 'y' "."""
        return self.error(at, f"'{self.shown(at)}' in column '{self.column}' {problem}")

    def shown(self, at: int) -> str:
        """Value number `at` as it fits into a sentence."""
        text = str(self.values.iloc[at])
        text = text if text.isprintable() else ascii(text)[1:-1]
        return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"

    def error(self, at: int, message: str) -> InputError:
        """An error at value number `at`."""
        return InputError(f"{self.path}, {self.place(at)}: {message}")

    def hint(self, at: int) -> str:
        """What to do about a decimal comma, where value number `at` has one."""
        comma = re.fullmatch(r"\s*[+-]?[0-9]+,[0-9]+\s*", str(self.values.iloc[at]))
        return " (write a point for the decimal comma)" if comma else ""

    def take(self, kept: npt.NDArray[np.bool_]) -> Cells:
        """The given values."""
        return Cells(self.path, self.column, self.values[kept])

    def missing(self) -> npt.NDArray[np.bool_]:
        """bool[n]: which values are absent: empty text, null or NaN."""
        empty = self.values.isna().to_numpy(dtype=bool)
        kind = self.arrow_type()
        if kind.startswith("float") or kind in ("double", "halffloat"):
            return empty | np.isnan(self.values.to_numpy(dtype=np.float64, na_value=np.nan))
        if kind in ("", "string", "large_string", "string_view"):
            return empty | self.values.str.strip().eq("").fillna(True).to_numpy(dtype=bool)
        return empty

    def arrow_type(self) -> str:
        """The type of a Parquet column; "" for a column of a text file."""
        return str(getattr(self.values.dtype, "pyarrow_dtype", ""))
