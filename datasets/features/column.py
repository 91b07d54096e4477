"""What a kind of feature is: a class of columns, and what is learned of such a column in training.

A new kind is a subclass of each in one file, and an entry of `KINDS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged

KINDS: dict[str, type[Column]] = {}
"""Name of each kind → its class, in the order in which fingerprints and towers take columns"""
Rows = slice | npt.NDArray[np.int64]
Read = Callable[[Sequence[Any]], "tuple[Column, list[list[str]]]"]
"""The raw value of each row, None where unknown → the column, and of each row the values nobody has seen"""


def restored(arrays: Mapping[str, npt.NDArray], description: Mapping[str, Any]) -> Column:
    """The column of `Column.arrays` and an entry of `Features.description`."""
    return KINDS[description["kind"]].restore(arrays, description)


def reader(label: str, description: Mapping[str, Any]) -> Read:
    """What reads raw values as the column of an entry of `Features.description`; see `Column.reader`."""
    return KINDS[description["kind"]].reader(label, description)


def plain(value: Any) -> Any:
    """A raw value; a NumPy scalar, as it comes out of a table, as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class Inputs:
    """A column of n rows as a tower takes it: codes, numbers, or both; or vectors."""

    codes: npt.NDArray[np.int32] | Ragged | None = None
    """int32[n], or n rows of several: below `Encoding.n_codes`; 0 is "unknown" """
    numbers: npt.NDArray[np.float64] | None = None
    """float64[n, n_numbers]"""
    vectors: npt.NDArray[np.float32] | None = None
    """float32[n, dimension], NaN where unknown: the column's own memory, for it may be large"""


class Encoding(ABC):
    """What is learned of a training column; later rows are encoded by it too.

    Every code has an embedding, and several codes of a row count as their mean. The numbers of all columns of
    a kind make one vector by a learned projection. A column of vectors has a
    projection of its own. Subclasses are dataclasses that JSON can hold.
    """

    n_codes: int = 0
    """Rows of the embedding table"""
    several: ClassVar[bool] = False
    """Whether a row has several codes"""
    n_numbers: int = 0
    """Numbers of a row"""
    dimension: int = 0
    """Numbers of a row's vector, where it has one"""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From `dataclasses.asdict`, or that through JSON."""
        return cls(**stored)

    @abstractmethod
    def inputs(self, column: Any) -> Inputs:
        """The rows of `column`, of the encoding's kind; what was not learned counts as unknown."""

    def going_on(self, then: Any, now: Any) -> tuple[Encoding, npt.NDArray[np.int32]]:
        """For later rows `now` of the column whose rows `then` it was learned of, to be learned of further.

        Returns:
            The encoding, and for each of its codes the code of the same value then; -1 for a new value.
        """
        return self, np.arange(self.n_codes, dtype=np.int32)

    def width(self, column: Any) -> int:
        """Codes and numbers that a row of `column` takes in memory."""
        return bool(self.n_codes) + self.n_numbers


class Column(ABC):
    """What n users, items or moments have in one respect."""

    kind: ClassVar[str]
    """Its name in `KINDS`"""
    encoding_type: ClassVar[type[Encoding]]

    @abstractmethod
    def __len__(self) -> int:
        """Rows."""

    @abstractmethod
    def take(self, rows: Rows) -> Self:
        """The given rows."""

    @abstractmethod
    def with_unknown(self) -> Self:
        """With one row more, at the end, of which nothing is known."""

    def compact(self) -> Self:
        """Without values that no row has."""
        return self

    @abstractmethod
    def arrays(self) -> dict[str, npt.NDArray]:
        """All that differs by row: what is hashed and stored."""

    def description(self) -> dict[str, Any]:
        """The rest, as JSON can hold it."""
        return {}

    @classmethod
    @abstractmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray], description: Mapping[str, Any]) -> Self:
        """From `arrays()` and `description()`."""

    @classmethod
    @abstractmethod
    def reader(cls, label: str, description: Mapping[str, Any]) -> Read:
        """What reads raw values as a column of this `description()`.

        It raises InputError, which begins with `label`, for a value of a wrong type.
        """

    @abstractmethod
    def encoding(self) -> Encoding:
        """What training learns of it."""
