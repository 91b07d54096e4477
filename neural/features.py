"""Feature tables as vectors: one embedding a value, summed over columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from datasets.dataset import Features
from datasets.ragged import Ragged
from neural.history import ranges
from neural.tables import Table


class FeatureEncoder(nn.Module):
    """The sum over columns of a value's vector.

    A multivalued column counts with the mean of its values' vectors, a numeric one with its number
    times a vector. Numbers are squeezed by sign(x)·log(1 + |x|), then scaled to mean 0 and
    deviation 1; a missing number is 0 and has a vector of its own.
    """

    numbers: Tensor
    """float32[n, 2 · numeric columns]: scaled number and missing flag of each column"""

    def __init__(self, features: Features, dim: int, scale: float, generator: torch.Generator) -> None:
        super().__init__()

        def table(name: str, codes: npt.NDArray[np.int32]) -> Table:
            size = max(len(features.vocabulary.get(name, ())), int(codes.max(initial=0)) + 1)
            return Table(size, dim, scale, generator)

        single = [_Categorical(table(name, codes), codes) for name, codes in features.categorical.items()]
        multiple = [
            _Multivalued(table(name, rows.values), rows) for name, rows in features.multivalued.items()
        ]
        self.columns = nn.ModuleList([*single, *multiple])
        numbers = [part for column in features.numeric.values() for part in _scaled(column)]
        self.numeric = nn.Parameter(torch.randn(len(numbers), dim, generator=generator) * scale)
        table_of_numbers = np.stack(numbers, axis=1) if numbers else np.empty((0, 0))
        self.register_buffer("numbers", torch.as_tensor(table_of_numbers, dtype=torch.float32))

    def forward(self, ids: Tensor) -> Tensor:
        """float[n, d]: the vector of each of `ids`, int64[n]."""
        vector = torch.zeros(len(ids), self.numeric.shape[1], device=ids.device)
        if len(self.numeric):
            vector = self.numbers[ids] @ self.numeric
        for column in self.columns:
            vector = vector + column(ids)
        return vector


class _Categorical(nn.Module):
    codes: Tensor

    def __init__(self, table: Table, codes: npt.NDArray[np.int32]) -> None:
        super().__init__()
        self.table = table
        self.register_buffer("codes", torch.as_tensor(codes).long())

    def forward(self, ids: Tensor) -> Tensor:
        return self.table(self.codes[ids])


class _Multivalued(nn.Module):
    codes: Tensor
    start: Tensor
    stop: Tensor

    def __init__(self, table: Table, rows: Ragged) -> None:
        super().__init__()
        self.table = table
        for name, values in (("codes", rows.values), ("start", rows.start), ("stop", rows.stop)):
            self.register_buffer(name, torch.as_tensor(values).long())

    def forward(self, ids: Tensor) -> Tensor:
        start, stop = self.start[ids], self.stop[ids]
        at, row = ranges(start, stop)
        values = self.table(self.codes[at])  # (values, dim)
        total = values.new_zeros(len(ids), values.shape[1]).index_add(0, row, values)
        return total / (stop - start).clamp(min=1).unsqueeze(1)


def _scaled(column: npt.NDArray[np.float32]) -> tuple[npt.NDArray, npt.NDArray]:
    """float64[n] each: the squeezed and scaled number, and 1 where it is missing."""
    missing = ~np.isfinite(column)
    known = np.sign(column[~missing]) * np.log1p(np.abs(column[~missing].astype(np.float64)))
    number = np.zeros(len(column))
    if len(known):
        number[~missing] = (known - known.mean()) / max(known.std(), 1e-6)
    return number, missing.astype(np.float64)
