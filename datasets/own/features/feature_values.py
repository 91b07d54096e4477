"""The values of a feature column as text, each distinct one once."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features.numeric import LARGEST
from retrieval_leaderboard.datasets.tables.cells import LISTS, Cells
from retrieval_leaderboard.datasets.tables.ids import WHOLE, without_placeholder

SEPARATORS = ("|", ";", ",")
"""Between several values of one text"""
BLANK = " "
"""Between them in RecBole's :token_seq"""


@dataclass(frozen=True)
class Values:
    """A column, its values taken apart from the rows they are in."""

    cells: Cells
    texts: list[str]
    """The distinct ones, without the blanks around them; 12.0 is "12" """
    codes: npt.NDArray[np.int64]
    """int64[n]: of each row, which of `texts`; -1 where it is missing"""

    @classmethod
    def of(cls, cells: Cells) -> Values:
        """The values of a column that holds no lists; nan, null and their like are missing."""
        import pandas as pd

        codes, uniques = pd.factorize(cells.values)
        raw = [_text(value) for value in uniques]
        if all(WHOLE.fullmatch(text) for text in raw if text):
            raw = [text.partition(".")[0] for text in raw]
        texts = sorted(set(raw) - {""})
        place = {text: at for at, text in enumerate(texts)}
        again = np.array([*(place.get(text, -1) for text in raw), -1], dtype=np.int64)
        return cls(cells, texts, again[codes])

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """int64: rows of each of `texts`."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    @property
    def known(self) -> int:
        """Rows in which a value is there."""
        return int((self.codes >= 0).sum())

    def row(self, at: int) -> int:
        """The first row that holds number `at` of `texts`."""
        return int(np.argmax(self.codes == at))

    def numbers(self) -> npt.NDArray[np.float64]:
        """float64: each of `texts` as a number, NaN where it is none or not finite in float32."""
        import pandas as pd

        found = pd.to_numeric(pd.Series(self.texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
        return np.where(np.abs(found) <= LARGEST, found, np.nan)


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return without_placeholder(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def holds_lists(cells: Cells) -> bool:
    """Whether the column's type says that each value is a list."""
    return cells.arrow_type().startswith(LISTS)


def are_lists(texts: Sequence[str]) -> bool:
    """Whether every text is a list in brackets, as JSON and Python write them."""
    return all(text[:1] == "[" and text[-1:] == "]" and listed(text) is not None for text in texts)


def listed(text: str) -> list[str] | None:
    """What a list in brackets holds, as text; None where it is none."""
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return [_text(each) for each in found if each is not None] if isinstance(found, list) else None
    return None


def separator_of(values: Values) -> str:
    """What clearly stands between several values: fewer of them than texts; "" for nothing."""
    for separator in SEPARATORS:
        parts = [split(text, separator) for text in values.texts]
        several = [part for each in parts if len(each) > 1 for part in each]
        distinct = {part for each in parts for part in each}
        # 1,250 and the like are single values.
        if several and len(distinct) < len(values.texts) and not all(map(str.isdigit, several)):
            return separator
    return ""


def split(text: str, separator: str) -> list[str]:
    """The parts of a text, none twice and none missing; it has one where `separator` is ""."""
    parts = [_text(part) for part in (re.split(re.escape(separator), text) if separator else [text])]
    return [part for part in dict.fromkeys(parts) if part]
