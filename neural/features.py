"""Feature tables as vectors: one embedding a value, summed over columns."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from datasets.dataset import Features
from neural.history import ranges
from neural.tables import Table


class FeatureEncoder(nn.Module):
    """Sum over columns of a categorical value's vector, the mean of a multivalued column's vectors,
    and a numeric column's value times a vector.

    Numbers are squeezed by sign(x)·log(1 + |x|), then scaled to mean 0 and deviation 1; a missing
    number is 0 with a vector of its own.
    """

    def __init__(self, features: Features, dim: int, scale: float, generator: torch.Generator) -> None:
        super().__init__()
        self.categorical, self.multivalued = nn.ModuleDict(), nn.ModuleDict()
        for name, codes in features.categorical.items():
            size = _size(features, name, codes)
            self.categorical[name] = _Column(size, dim, scale, generator, codes)
        for name, rows in features.multivalued.items():
            size = _size(features, name, rows.values)
            self.multivalued[name] = _Column(size, dim, scale, generator, rows.values, rows.start, rows.stop)
        numbers = np.stack(
            [_scaled(column) for column in features.numeric.values()] or [np.empty((0, 2))], axis=1
        )
        self.numeric = nn.Parameter(torch.randn(2 * len(features.numeric), dim, generator=generator) * scale)
        self.register_buffer(
            "numbers", torch.as_tensor(numbers.reshape(len(numbers), -1), dtype=torch.float32)
        )

    def forward(self, ids: Tensor) -> Tensor:
        """float[n, d]: the vector of each of `ids`, int64[n]."""
        vector = torch.zeros(len(ids), self.numeric.shape[1], device=ids.device)
        if len(self.numeric):
            vector = self.numbers[ids] @ self.numeric
        for column in self.categorical.values():
            vector = vector + column.table(column.codes[ids])
        for column in self.multivalued.values():
            vector = vector + column.mean(ids)
        return vector


class _Column(nn.Module):
    """Codes of one column and their vectors."""

    def __init__(
        self,
        size: int,
        dim: int,
        scale: float,
        generator: torch.Generator,
        codes: np.ndarray,
        start: np.ndarray | None = None,
        stop: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.table = Table(size, dim, scale, generator)
        for name, values in (("codes", codes), ("start", start), ("stop", stop)):
            self.register_buffer(name, None if values is None else torch.as_tensor(values).long())

    def mean(self, ids: Tensor) -> Tensor:
        """float[n, d]: the mean vector of the codes from `start` to `stop`; zero where there are none."""
        start, stop = self.start[ids], self.stop[ids]
        at, row = ranges(start, stop)
        total = torch.zeros(len(ids), self.table.weight.shape[1], device=ids.device)
        total = total.index_add(0, row, self.table(self.codes[at]))
        return total / (stop - start).clamp(min=1).unsqueeze(1)


def _size(features: Features, name: str, codes: np.ndarray) -> int:
    return max(len(features.vocabulary.get(name, ())), int(codes.max(initial=0)) + 1)


def _scaled(column: np.ndarray) -> np.ndarray:
    """float64[n, 2]: the squeezed and scaled number, and whether it is missing."""
    missing = ~np.isfinite(column)
    squeezed = np.where(missing, np.nan, np.sign(column) * np.log1p(np.abs(column)))
    if missing.all():
        return np.stack([np.zeros(len(column)), np.ones(len(column))], axis=1)
    scaled = (squeezed - np.nanmean(squeezed)) / max(float(np.nanstd(squeezed)), 1e-6)
    return np.stack([np.where(missing, 0.0, scaled), missing], axis=1)
