"""Columns with a vector a row, such as an embedding of a title that another model made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features.column import Column, Encoding, Inputs, Read, Rows
from retrieval_leaderboard.datasets.features.numeric import number
from retrieval_leaderboard.support.errors import InputError

WIDEST = 1024
"""Most numbers of a vector"""
ROWS_A_BLOCK = 4096


@dataclass(frozen=True)
class VectorEncoding(Encoding):
    """The mean of the known vectors: less it, and scaled to length 1, a vector goes into its projection."""

    mean: tuple[float, ...]

    @classmethod
    def of(cls, vectors: npt.NDArray[np.float32]) -> Self:
        """Of the known rows of `vectors`, float32[n, w]."""
        total, known = np.zeros(vectors.shape[1]), 0
        for start in range(0, len(vectors), ROWS_A_BLOCK):
            block = vectors[start : start + ROWS_A_BLOCK]
            there = ~np.isnan(block[:, 0])
            total += block[there].sum(axis=0, dtype=np.float64)
            known += int(there.sum())
        return cls(tuple((total / max(known, 1)).tolist()))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From `dataclasses.asdict`, or that through JSON."""
        return cls(tuple(stored["mean"]))

    @property
    def dimension(self) -> int:  # type: ignore[override]
        """Numbers of a vector."""
        return len(self.mean)

    def inputs(self, column: Vector) -> Inputs:
        """The vectors as they are; InputError where they are of another width."""
        if column.width != self.dimension:
            raise InputError(
                f"a vector of {column.width} numbers is given, not of {self.dimension} as in training; make "
                "it anew"
            )
        return Inputs(vectors=column.vectors)

    def width(self, column: Vector) -> int:
        """None: they are the column's own."""
        return 0


@dataclass(frozen=True)
class Vector(Column):
    """One vector a row."""

    vectors: npt.NDArray[np.float32]
    """float32[n, w]; a row of NaN is unknown, the others are finite"""

    kind = "vector"
    encoding_type = VectorEncoding

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return self.vectors.shape[1]

    def take(self, rows: Rows) -> Vector:
        """The given rows."""
        return Vector(self.vectors[rows])

    def with_unknown(self) -> Vector:
        """With a last row of NaN."""
        return Vector(np.pad(self.vectors, ((0, 1), (0, 0)), constant_values=np.nan))

    def arrays(self) -> dict[str, npt.NDArray]:
        """The vectors."""
        return {"vectors": self.vectors}

    def description(self) -> dict[str, Any]:
        """The width."""
        return {"width": self.width}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray], description: Mapping[str, Any]) -> Vector:
        """From the vectors."""
        return cls(arrays["vectors"])

    @classmethod
    def reader(cls, label: str, description: Mapping[str, Any]) -> Read:
        """Raw values are lists of numbers, each finite in float32."""
        width = description["width"]

        def vector(value: Any) -> list[float]:
            if value is None:
                return [np.nan] * width
            if not isinstance(value, list | tuple) or len(value) != width or None in value:
                raise InputError(f"{label} must be a list of {width} numbers")
            return [number(label, each) for each in value]

        def read(values: Sequence[Any]) -> tuple[Vector, list[list[str]]]:
            rows = np.array([vector(value) for value in values], dtype=np.float32)
            return cls(rows.reshape(len(values), width)), [[] for _ in values]

        return read

    def encoding(self) -> VectorEncoding:
        """The mean of the known vectors."""
        return VectorEncoding.of(self.vectors)
