"""From the cells of a table to a feature column with a row for each item or user of a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Categorical, Multivalued, Numeric, Vector
from retrieval_leaderboard.datasets.features.column import Column
from retrieval_leaderboard.datasets.own.features import feature_types, vectors
from retrieval_leaderboard.datasets.own.features.feature_types import Type
from retrieval_leaderboard.datasets.own.features.feature_values import Values, holds_lists, listed, split
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.support.errors import InputError

UNKNOWN = "unknown"
MOST_CATEGORIES = 100_000
"""Categories of a column; where there are more, the rarest count as unknown"""

Place = npt.NDArray[np.int64]
"""int64[rows]: of each row of a table, the code of its item or user"""


def make(cells: Cells, found: Type, place: Place, n: int) -> Column:
    """The column of n items or users.

    Args:
        cells: its values, each of a known item or user.
        found: its type.
        place: where each value belongs.
        n: items or users; those without a value are unknown.

    Raises:
        InputError: a value that is none of the type (file and line).
    """
    return PARSERS[found.name](cells, found, place, n)


def described(column: Column) -> str:
    """What is to be said of it in brackets after its type."""
    if isinstance(column, Categorical | Multivalued):
        count = len(column.vocabulary) - 1
        return f" ({count:,} values{', rarer ones are unknown' if count == MOST_CATEGORIES else ''})"
    return f" ({column.width} wide)" if isinstance(column, Vector) else ""


def _category(cells: Cells, found: Type, place: Place, n: int) -> Column:
    _refuse_lists(cells, found)
    values = Values.of(cells)
    counts = np.bincount(values.codes[values.codes >= 0], minlength=len(values.texts))
    code_of, vocabulary = _vocabulary(values.texts, counts)
    codes = np.zeros(n, dtype=np.int32)
    codes[place] = np.append(code_of, 0)[values.codes]
    return Categorical(codes, vocabulary)


def _categories(cells: Cells, found: Type, place: Place, n: int) -> Column:
    rows = _lists(cells) if holds_lists(cells) else _split(cells, found.separator)
    lengths = np.zeros(n, dtype=np.int64)
    lengths[place] = [len(row) for row in rows]
    in_order = [part for at in np.argsort(place, kind="stable") for part in rows[at]]
    texts, inverse, counts = np.unique(
        np.array(in_order, dtype=object), return_inverse=True, return_counts=True
    )
    code_of, vocabulary = _vocabulary(texts.tolist(), counts)
    return Multivalued(Ragged.from_offsets(code_of[inverse], offsets_of(lengths)), vocabulary)


def _number(cells: Cells, found: Type, place: Place, n: int) -> Column:
    _refuse_lists(cells, found)
    values = Values.of(cells)
    of_text = values.numbers()
    wrong = np.flatnonzero(np.isnan(of_text))
    if len(wrong):
        at = min(map(values.row, wrong[:1000].tolist()))
        advice = f"correct it{cells.hint(at)}, or choose another type for the column"
        raise cells.wrong(at, f"is not a number that float32 holds; {advice}")
    numbers = np.full(n, np.nan, dtype=np.float32)
    numbers[place] = np.append(of_text, np.nan)[values.codes]
    return Numeric(numbers)


def _vector(cells: Cells, found: Type, place: Place, n: int) -> Column:
    return vectors.of_cells(cells, place, n)


PARSERS: dict[str, Callable[[Cells, Type, Place, int], Column]] = {
    feature_types.CATEGORY: _category,
    feature_types.CATEGORIES: _categories,
    feature_types.NUMBER: _number,
    feature_types.VECTOR: _vector,
}
"""Type → what makes a column of it"""


def _vocabulary(texts: list[str], counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], list[str]]:
    """The code of each of `texts`, 0 for "unknown" and the rarest beyond the limit; the text of each code."""
    kept = np.array([text != UNKNOWN for text in texts], dtype=np.bool_)
    if len(texts) > MOST_CATEGORIES:
        kept[np.argsort(-counts, kind="stable")[MOST_CATEGORIES:]] = False
    code_of = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return code_of, [UNKNOWN, *(text for text, keep in zip(texts, kept, strict=True) if keep)]


def _refuse_lists(cells: Cells, found: Type) -> None:
    if holds_lists(cells):
        raise InputError(
            f"{cells.path}: column '{cells.column}' holds lists ({cells.arrow_type()}) and no {found.name}; "
            "choose categories or vector"
        )


def _lists(cells: Cells) -> list[list[str]]:
    """Each row of an Arrow column of lists."""
    values: Any = cells.values  # Its types know no na_value=None.
    rows = values.to_numpy(dtype=object, na_value=None)
    return [[] if row is None else split_list(row) for row in rows]


def split_list(row: npt.NDArray) -> list[str]:
    """A list's values as text, as those of single categories."""
    return list(dict.fromkeys(part for each in row if each is not None for part in split(str(each), "")))


def _split(cells: Cells, separator: str) -> list[list[str]]:
    """Each row of a column of text."""
    values = Values.of(cells)
    parts: list[list[str]] = [
        (listed(text) or []) if separator == "[" else split(text, separator) for text in values.texts
    ]
    return [parts[code] if code >= 0 else [] for code in values.codes.tolist()]
