"""Columns with one value a row, such as a brand."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features.column import Column, Encoding, Inputs, Read, Rows, plain
from retrieval_leaderboard.datasets.tables.ids import without_placeholder
from retrieval_leaderboard.support.errors import InputError


@dataclass(frozen=True)
class CategoricalEncoding(Encoding):
    """An embedding for every code that training has."""

    n_codes: int

    def inputs(self, column: Categorical) -> Inputs:
        """A code a row."""
        return Inputs(np.where(column.codes < self.n_codes, column.codes, 0))

    def going_on(self, then: Categorical, now: Categorical) -> tuple[Encoding, npt.NDArray[np.int32]]:
        """With the codes of `now`, which are of today's values."""
        later = now.encoding()
        return later, codes_then(now.vocabulary, then.vocabulary, later.n_codes)


@dataclass(frozen=True)
class Categorical(Column):
    """One code a row."""

    codes: npt.NDArray[np.int32]
    """int32[n]; 0 is "unknown" """
    vocabulary: list[str] = field(default_factory=list)
    """The raw value of each code; entry 0 is "unknown" """

    kind = "categorical"
    encoding_type = CategoricalEncoding

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Rows) -> Categorical:
        """The given rows."""
        return Categorical(self.codes[rows], self.vocabulary)

    def with_unknown(self) -> Categorical:
        """With a last row of code 0."""
        return Categorical(np.append(self.codes, np.int32(0)), self.vocabulary)

    def compact(self) -> Categorical:
        """Without values that no row has; the others keep their order, and code 0 stays "unknown"."""
        return Categorical(*compacted(self.codes, self.vocabulary))

    def arrays(self) -> dict[str, npt.NDArray]:
        """The codes."""
        return {"codes": self.codes}

    def description(self) -> dict[str, Any]:
        """The vocabulary."""
        return {"vocabulary": self.vocabulary}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray], description: Mapping[str, Any]) -> Categorical:
        """From the codes and the vocabulary."""
        return cls(arrays["codes"], description["vocabulary"])

    @classmethod
    def reader(cls, label: str, description: Mapping[str, Any]) -> Read:
        """Raw values are text or whole numbers."""
        vocabulary = description["vocabulary"]
        code_of = {value: code for code, value in enumerate(vocabulary)}

        def read(values: Sequence[Any]) -> tuple[Categorical, list[list[str]]]:
            unseen: list[list[str]] = [[] for _ in values]
            codes = [code(label, code_of, *each) for each in zip(values, unseen, strict=True)]
            return cls(np.array(codes, dtype=np.int32), vocabulary), unseen

        return read

    def encoding(self) -> CategoricalEncoding:
        """The number of codes."""
        return CategoricalEncoding(n_codes(self.codes, self.vocabulary))


def n_codes(codes: npt.NDArray[np.int32], vocabulary: Sequence[str]) -> int:
    """Codes that there are, by the vocabulary or, where it is shorter, by those found."""
    return max(len(vocabulary), int(codes.max(initial=0)) + 1)


def codes_then(now: Sequence[str], then: Sequence[str], n_codes: int) -> npt.NDArray[np.int32]:
    """int32[n_codes]: for each code of `now` that of the same value in `then`; -1 for a new value.

    Codes that no vocabulary names mean the same at all times.
    """
    if not now and not then:
        return np.arange(n_codes, dtype=np.int32)
    code_of = {value: code for code, value in enumerate(then)}
    found = [code_of.get(value, -1) for value in now[1:n_codes]]
    return np.array([0, *found, *[-1] * (n_codes - 1 - len(found))], dtype=np.int32)


def compacted(codes: npt.NDArray[np.int32], vocabulary: list[str]) -> tuple[npt.NDArray[np.int32], list[str]]:
    """The codes and vocabulary without values that are not found, but for code 0."""
    used = np.union1d(0, codes)
    kept = [vocabulary[each] for each in used] if vocabulary else []
    return np.searchsorted(used, codes).astype(np.int32), kept


def code(label: str, code_of: Mapping[str, int], value: Any, unseen: list[str]) -> int:
    """The code of a raw value; one outside the vocabulary is code 0 and added to `unseen`.

    Raises:
        InputError: neither text nor a whole number.
    """
    value = plain(value)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"{label} must be text or a whole number")
    text = as_in_tables(str(value), code_of)
    found = code_of.get(text)
    if found is None and text:
        unseen.append(text)
    return found or 0


def as_in_tables(text: str, known: Container[str]) -> str:
    """A value that a request gives, as a table's reader would have it.

    As it is where it is `known`, else without the blanks around it, and "" where it stands for no value.
    """
    return text if text in known else without_placeholder(text)
