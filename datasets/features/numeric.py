"""Columns with one number a row, such as a price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features.column import Column, Encoding, Inputs, Read, Rows, plain
from retrieval_leaderboard.support.errors import InputError

BUCKETS = 32
"""Most buckets of a number: quantiles of its known values."""
LARGEST = float(np.finfo(np.float32).max)
ROUNDING = 1e-6
"""A smaller deviation is that of equal numbers"""


@dataclass(frozen=True)
class Scale(Encoding):
    """How a number becomes a bucket, and a number of mean 0 and deviation 1 with a flag where it is missing.

    Numbers are squeezed by sign(x)·log(1 + |x|) first.
    """

    mean: float
    deviation: float
    edges: tuple[float, ...]
    """where buckets 2, 3, … begin, squeezed; bucket 0 is "unknown" """
    n_numbers = 2

    @classmethod
    def of(cls, numbers: npt.NDArray[np.float32]) -> Self:
        """The scale of the known ones of `numbers`."""
        known = squeezed(numbers[np.isfinite(numbers)])
        if not len(known):
            return cls(0.0, 1.0, ())
        edges = np.unique(np.quantile(known, np.arange(1, BUCKETS) / BUCKETS))
        deviation = float(known.std())
        # One number tells nothing of how far others lie.
        return cls(float(known.mean()), deviation if deviation > ROUNDING else 1.0, tuple(edges.tolist()))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From `dataclasses.asdict`, or that through JSON."""
        return cls(stored["mean"], stored["deviation"], tuple(stored["edges"]))

    @property
    def n_codes(self) -> int:  # type: ignore[override]
        """Buckets, and "unknown"."""
        return len(self.edges) + 2

    def inputs(self, column: Numeric) -> Inputs:
        """The bucket of each row; its scaled number, 0 where it is missing, and 1 where it is missing."""
        known = np.isfinite(column.numbers)
        codes = np.zeros(len(column), dtype=np.int32)
        numbers = np.zeros((len(column), 2))
        raw = squeezed(column.numbers[known])
        codes[known] = 1 + np.searchsorted(self.edges, raw, side="right")
        numbers[known, 0] = (raw - self.mean) / self.deviation
        numbers[:, 1] = ~known
        return Inputs(codes, numbers)


@dataclass(frozen=True)
class Numeric(Column):
    """One number a row."""

    numbers: npt.NDArray[np.float32]
    """float32[n], NaN where unknown"""

    kind = "numeric"
    encoding_type = Scale

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: Rows) -> Numeric:
        """The given rows."""
        return Numeric(self.numbers[rows])

    def with_unknown(self) -> Numeric:
        """With a last row of NaN."""
        return Numeric(np.append(self.numbers, np.float32(np.nan)))

    def arrays(self) -> dict[str, npt.NDArray]:
        """The numbers."""
        return {"numbers": self.numbers}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray], description: Mapping[str, Any]) -> Numeric:
        """From the numbers."""
        return cls(arrays["numbers"])

    @classmethod
    def reader(cls, label: str, description: Mapping[str, Any]) -> Read:
        """Raw values are numbers that are finite in float32."""

        def read(values: Sequence[Any]) -> tuple[Numeric, list[list[str]]]:
            numbers = [number(label, value) for value in values]
            return cls(np.array(numbers, dtype=np.float32)), [[] for _ in values]

        return read

    def encoding(self) -> Scale:
        """Buckets and scale of the known numbers."""
        return Scale.of(self.numbers)


def squeezed(numbers: npt.NDArray) -> npt.NDArray[np.float64]:
    """sign(x)·log(1 + |x|)."""
    return np.sign(numbers) * np.log1p(np.abs(numbers.astype(np.float64)))


def number(label: str, value: Any) -> float:
    """A raw number as a float; NaN for None.

    Raises:
        InputError: no number, or not finite in float32.
    """
    value = plain(value)
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{label} must be a number")
    if not abs(value) <= LARGEST:
        raise InputError(f"{label} must be finite, below 3.4e38")
    return float(value)
