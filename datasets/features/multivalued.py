"""Columns with several values a row, such as genres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features.categorical import code, codes_then, compacted, n_codes
from retrieval_leaderboard.datasets.features.column import Column, Encoding, Inputs, Read, Rows
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.support.errors import InputError


@dataclass(frozen=True)
class MultivaluedEncoding(Encoding):
    """An embedding for every code that training has; a row has the mean of its codes'."""

    n_codes: int
    several: ClassVar[bool] = True

    def inputs(self, column: Multivalued) -> Inputs:
        """The codes of each row."""
        values, offsets = column.codes.compact()
        return Inputs(Ragged.from_offsets(np.where(values < self.n_codes, values, 0), offsets))

    def going_on(self, then: Multivalued, now: Multivalued) -> tuple[Encoding, npt.NDArray[np.int32]]:
        """With the codes of `now`, which are of today's values."""
        later = now.encoding()
        return later, codes_then(now.vocabulary, then.vocabulary, later.n_codes)

    def width(self, column: Multivalued) -> int:
        """Most codes of a row: others are padded."""
        return int(column.codes.lengths.max(initial=0))


@dataclass(frozen=True)
class Multivalued(Column):
    """Any number of codes a row."""

    codes: Ragged
    """n rows; code 0 is a value that is not known"""
    vocabulary: list[str] = field(default_factory=list)
    """The raw value of each code; entry 0 is "unknown" """

    kind = "multivalued"
    encoding_type = MultivaluedEncoding

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Rows) -> Multivalued:
        """The given rows."""
        return Multivalued(self.codes.take(rows), self.vocabulary)

    def with_unknown(self) -> Multivalued:
        """With a last row that has no code."""
        start, stop = np.append(self.codes.start, 0), np.append(self.codes.stop, 0)
        return Multivalued(Ragged(self.codes.values, start, stop), self.vocabulary)

    def compact(self) -> Multivalued:
        """Without values that no row has; the others keep their order, and code 0 stays "unknown"."""
        values, offsets = self.codes.compact()
        codes, vocabulary = compacted(values, self.vocabulary)
        return Multivalued(Ragged.from_offsets(codes, offsets), vocabulary)

    def arrays(self) -> dict[str, npt.NDArray]:
        """The codes in CSR form."""
        values, offsets = self.codes.compact()
        return {"values": values, "offsets": offsets}

    def description(self) -> dict[str, Any]:
        """The vocabulary."""
        return {"vocabulary": self.vocabulary}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray], description: Mapping[str, Any]) -> Multivalued:
        """From the CSR form and the vocabulary."""
        return cls(Ragged.from_offsets(arrays["values"], arrays["offsets"]), description["vocabulary"])

    @classmethod
    def reader(cls, label: str, description: Mapping[str, Any]) -> Read:
        """Raw values are lists of text or whole numbers."""
        vocabulary = description["vocabulary"]
        code_of = {value: code for code, value in enumerate(vocabulary)}

        def codes(values: Any, unseen: list[str]) -> list[int]:
            if values is None:
                return []
            if not isinstance(values, list | tuple):
                raise InputError(f"{label} must be a list of values")
            return [code(label, code_of, value, unseen) for value in values]

        def read(rows: Sequence[Any]) -> tuple[Multivalued, list[list[str]]]:
            unseen: list[list[str]] = [[] for _ in rows]
            found = [codes(*each) for each in zip(rows, unseen, strict=True)]
            return cls(Ragged.from_rows(found), vocabulary), unseen

        return read

    def encoding(self) -> MultivaluedEncoding:
        """The number of codes."""
        return MultivaluedEncoding(n_codes(self.codes.values, self.vocabulary))
