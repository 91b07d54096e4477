"""Raw values of a catalog's items, by which requests may filter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features.categorical import as_in_tables
from retrieval_leaderboard.datasets.features.column import plain
from retrieval_leaderboard.datasets.features.numeric import number
from retrieval_leaderboard.support.errors import InputError, unknown

Filter = Mapping[str, Any]
"""column → a list of values, or {"min": …, "max": …}"""
Values = dict[str, Any]
"""column → an item's raw value: text, texts or a number; None where unknown"""


class Column(ABC):
    """The values of one column, a row for each label; it only grows."""

    @abstractmethod
    def keeps(self, where: str, wanted: Any) -> npt.NDArray[np.bool_]:
        """bool[n]: the known rows that fit `wanted`; InputError, which begins with `where`."""

    @abstractmethod
    def extend(self, values: Sequence[Any]) -> None:
        """Append rows of values as `kept` gives them."""

    @abstractmethod
    def kept(self, value: Any) -> Any:
        """A valid feature value as JSON can hold it."""


class Categories(Column):
    """Any number of texts a row."""

    def __init__(
        self, vocabulary: list[str], codes: npt.NDArray[np.int32], rows: npt.NDArray[np.int64], n: int
    ) -> None:
        """`n` rows; `codes` and `rows`, of the same length, say which row has which of the vocabulary."""
        order = np.argsort(codes, kind="stable")
        self._code = {value: code for code, value in enumerate(vocabulary)}
        self._offsets = np.searchsorted(codes[order], np.arange(len(vocabulary) + 1))
        self._rows = rows[order]
        self._later: dict[str, list[int]] = {}
        """value → rows that were appended"""
        self._n = n

    def keeps(self, where: str, wanted: Any) -> npt.NDArray[np.bool_]:
        """As `Column.keeps`: rows with any value of the list `wanted`."""
        if not isinstance(wanted, list | tuple) or not all(map(_is_category, wanted)):
            raise InputError(f"{where} must be a list of values, each of them text or a whole number")
        found = np.zeros(self._n, dtype=np.bool_)
        for value in map(self._text, wanted):
            code = self._code.get(value)
            if code is not None:
                found[self._rows[self._offsets[code] : self._offsets[code + 1]]] = True
            found[self._later.get(value, [])] = True
        return found

    def extend(self, values: Sequence[Any]) -> None:
        """As `Column.extend`."""
        for row, texts in enumerate(values, start=self._n):
            for text in [texts] if isinstance(texts, str) else texts or ():
                self._later.setdefault(text, []).append(row)
        self._n += len(values)

    def kept(self, value: Any) -> Any:
        """As `Column.kept`: text or a list of texts."""
        if isinstance(value, list | tuple):
            return [text for text in map(self._text, value) if text]
        return self._text(value) or None

    def _text(self, value: Any) -> str:
        """As in the table of items; "" where unknown."""
        return "" if value is None else as_in_tables(str(value), self._code)


class Numbers(Column):
    """One number a row."""

    def __init__(self, numbers: npt.NDArray[np.float32]) -> None:
        self._numbers = numbers

    def keeps(self, where: str, wanted: Any) -> npt.NDArray[np.bool_]:
        """As `Column.keeps`: rows from `min` to `max`, both included, compared in float32."""
        if not isinstance(wanted, Mapping) or not wanted or set(wanted) - {"min", "max"}:
            raise InputError(f'{where} must be a range: {{"min": 5, "max": 10}}, or one of the two')
        bounds = {name: number(f"{where}.{name}", bound) for name, bound in wanted.items()}
        low, high = bounds.get("min", -np.inf), bounds.get("max", np.inf)
        if np.isnan([low, high]).any():
            raise InputError(f"{where} has a bound that is no number: leave it out")
        if low > high:
            raise InputError(f"{where} is empty, its min {low:g} is above its max {high:g}: swap them")
        return np.asarray((self._numbers >= np.float32(low)) & (self._numbers <= np.float32(high)))

    def extend(self, values: Sequence[Any]) -> None:
        """As `Column.extend`."""
        more = np.array([np.nan if each is None else each for each in values], dtype=np.float32)
        self._numbers = np.concatenate([self._numbers, more])

    def kept(self, value: Any) -> Any:
        """As `Column.kept`: the number."""
        return plain(value)


class ItemColumns:
    """The columns of a catalog, a row for each label that it ever gave."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns

    def keep(self, wanted: Filter, n: int) -> npt.NDArray[np.bool_]:
        """bool[n]: the labels that every column of a filter keeps, among all `n`.

        Raises:
            InputError: an unknown column, or a value that does not fit its kind.
        """
        if not self._columns:
            raise InputError(
                "filter: the bundle holds no item columns: build it anew, from a dataset with item features"
            )
        found = np.ones(n, dtype=np.bool_)
        for name, condition in wanted.items():
            if name not in self._columns:
                raise unknown("column of filter", name, self._columns)
            found &= self._columns[name].keeps(f"filter.{name}", condition)
        return found

    def extend(self, rows: Sequence[Values]) -> None:
        """Append rows; what one does not have is unknown."""
        for name, column in self._columns.items():
            column.extend([row.get(name) for row in rows])

    def values(self, features: Mapping[str, Any]) -> Values:
        """What is kept of an item's valid features."""
        return {name: column.kept(features[name]) for name, column in self._columns.items()}


def _is_category(value: Any) -> bool:
    value = plain(value)
    return isinstance(value, str | int) and not isinstance(value, bool)
