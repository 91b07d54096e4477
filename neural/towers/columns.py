"""Feature tables as codes of one embedding table, and numbers on one scale.

Notation: n rows, c categorical columns (bucketed numbers included), m multivalued columns, f numeric columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from retrieval_leaderboard.datasets.dataset import Features
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.support.errors import InputError

BUCKETS = 32
"""Most buckets of a number: quantiles of its known values."""


class FeatureRows(nn.Module):
    """The features of n users or items where the towers are, and a last row of which nothing is known."""

    codes: Tensor
    """int32[n + 1, c]: rows of the embedding table"""
    numbers: Tensor
    """float32[n + 1, 2·f]: scaled number and missing flag of each numeric column"""

    def __init__(self, codes: Tensor, numbers: Tensor, multivalued: list[Tensor]) -> None:
        super().__init__()
        self.register_buffer("codes", codes)
        self.register_buffer("numbers", numbers)
        self.n_multivalued = len(multivalued)
        for at, values in enumerate(multivalued):
            self.register_buffer(f"values_{at}", values)

    @property
    def multivalued(self) -> list[Tensor]:
        """Of each multivalued column, int32[n + 1, most values]: rows of the embedding table, -1 for none."""
        return [self.get_buffer(f"values_{at}") for at in range(self.n_multivalued)]

    def told(self, ids: Tensor) -> Tensor:
        """bool[n]: whether any value is known of each of `ids`, int64[n]; of -1 none is."""
        told = (self.codes[ids] != self.codes[-1]).any(dim=1)
        for values in self.multivalued:
            told = told | (values[ids] >= 0).any(dim=1)
        return told


@dataclass(frozen=True)
class Scale:
    """How a numeric column becomes a bucket and a number of mean 0 and deviation 1.

    Numbers are squeezed by sign(x)·log(1 + |x|) first.
    """

    mean: float
    deviation: float
    edges: tuple[float, ...]
    """where buckets 2, 3, … begin, squeezed; bucket 0 is "unknown" """

    @classmethod
    def of(cls, column: npt.NDArray[np.float32]) -> Self:
        """The scale of the known numbers of `column`."""
        known = squeezed(column[np.isfinite(column)])
        if not len(known):
            return cls(0.0, 1.0, ())
        edges = np.unique(np.quantile(known, np.arange(1, BUCKETS) / BUCKETS))
        return cls(float(known.mean()), max(float(known.std()), 1e-6), tuple(edges.tolist()))


@dataclass(frozen=True)
class Columns:
    """What was learned of a feature table's columns; new rows are coded by it too."""

    categorical: dict[str, int]
    """column → its number of codes; code 0 is "unknown" """
    multivalued: dict[str, int]
    """column → its number of codes"""
    numeric: dict[str, Scale]

    @classmethod
    def of(cls, features: Features) -> Self:
        """The columns of `features`."""

        def size(name: str, codes: npt.NDArray[np.int32]) -> int:
            return max(len(features.vocabulary.get(name, ())), int(codes.max(initial=0)) + 1)

        return cls(
            {name: size(name, codes) for name, codes in features.categorical.items()},
            {name: size(name, rows.values) for name, rows in features.multivalued.items()},
            {name: Scale.of(column) for name, column in features.numeric.items()},
        )

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """From `dataclasses.asdict`, or that through JSON."""
        numeric = {
            name: Scale(each["mean"], each["deviation"], tuple(each["edges"]))
            for name, each in stored["numeric"].items()
        }
        return cls(stored["categorical"], stored["multivalued"], numeric)

    @property
    def sizes(self) -> list[int]:
        """Codes of each part of the embedding table: categorical, bucketed, multivalued."""
        buckets = [len(scale.edges) + 2 for scale in self.numeric.values()]
        return [*self.categorical.values(), *buckets, *self.multivalued.values()]

    @property
    def starts(self) -> list[int]:
        """Where each part begins in the embedding table; its first code is its "unknown"."""
        return [0, *np.cumsum(self.sizes)[:-1].tolist()] if self.sizes else []

    @property
    def fields(self) -> int:
        """Vectors a row gives: one a column, and one for all numbers together."""
        return len(self.sizes) + bool(self.numeric)

    def rows(self, features: Features) -> FeatureRows:
        """`features` as tensors; codes that were not learned count as unknown.

        Raises:
            InputError: a column is missing.
        """
        self._check(features)
        starts = self.starts
        single = [*(features.categorical[name] for name in self.categorical)]
        single += [bucketed(features.numeric[name], scale) for name, scale in self.numeric.items()]
        known = [np.where(codes < size, codes, 0) for codes, size in zip(single, self.sizes, strict=False)]
        codes = [np.append(each, 0) + start for each, start in zip(known, starts, strict=False)]
        numbers = [
            part for name, scale in self.numeric.items() for part in scaled(features.numeric[name], scale)
        ]
        n = n_rows(features) + 1
        return FeatureRows(
            torch.as_tensor(np.stack(codes, axis=1) if codes else np.empty((n, 0)), dtype=torch.int32),
            torch.as_tensor(np.stack(numbers, axis=1) if numbers else np.empty((n, 0)), dtype=torch.float32),
            [
                padded(features.multivalued[name], size, start)
                for (name, size), start in zip(self.multivalued.items(), starts[len(single) :], strict=True)
            ],
        )

    def _check(self, features: Features) -> None:
        for kind in ("categorical", "multivalued", "numeric"):
            missing = sorted(set(getattr(self, kind)) - set(getattr(features, kind)))
            if missing:
                raise InputError(
                    f"the {kind} feature column '{missing[0]}' is missing: the model was trained with it; "
                    "give it, with unknown values where need be"
                )


def n_rows(features: Features) -> int:
    """Rows of a feature table."""
    for columns in (features.categorical, features.multivalued, features.numeric):
        for column in columns.values():
            return len(column)
    return 0


def squeezed(numbers: npt.NDArray) -> npt.NDArray[np.float64]:
    """sign(x)·log(1 + |x|)."""
    return np.sign(numbers) * np.log1p(np.abs(numbers.astype(np.float64)))


def bucketed(column: npt.NDArray[np.float32], scale: Scale) -> npt.NDArray[np.int32]:
    """int32[n]: 1, 2, … by `scale.edges`; 0 where the number is missing."""
    known = np.isfinite(column)
    codes = np.zeros(len(column), dtype=np.int32)
    codes[known] = 1 + np.searchsorted(scale.edges, squeezed(column[known]), side="right")
    return codes


def scaled(column: npt.NDArray[np.float32], scale: Scale) -> tuple[npt.NDArray, npt.NDArray]:
    """float64[n + 1] each: the scaled number, 0 where it is missing, and 1 where it is missing."""
    column = np.append(column, np.nan)
    missing = ~np.isfinite(column)
    number = np.zeros(len(column))
    number[~missing] = (squeezed(column[~missing]) - scale.mean) / scale.deviation
    return number, missing.astype(np.float64)


def padded(rows: Ragged, size: int, start: int) -> Tensor:
    """int32[n + 1, most values] of a multivalued column; -1 where a row has fewer."""
    values, _ = rows.compact()
    codes = np.full((len(rows) + 1, int(rows.lengths.max(initial=0))), -1, dtype=np.int32)
    codes[rows.rows(), rows.positions()] = np.where(values < size, values, 0) + start
    return torch.as_tensor(codes)
