"""Feature tables as codes of one embedding table, and numbers on one scale.

Notation: n rows, c columns with one code a row, w numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.features.column import KINDS, Column, Encoding, Inputs
from retrieval_leaderboard.datasets.features.vector import VectorEncoding
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.support.errors import InputError

Given = Mapping[str, Column]
"""Name → column"""


class FeatureRows(nn.Module):
    """The features of n users or items where the towers are, and a last row of which nothing is known."""

    codes: Tensor
    """int32[n + 1, c]: rows of the embedding table"""
    numbers: Tensor
    """float32[n + 1, w]: what the learned projections take"""

    def __init__(
        self, codes: Tensor, numbers: Tensor, several: list[Tensor], vectors: list[Tensor] | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("codes", codes)
        self.register_buffer("numbers", numbers)
        self.n_several, self.n_vectors = len(several), len(vectors or [])
        for at, values in enumerate(several):
            self.register_buffer(f"values_{at}", values)
        for at, values in enumerate(vectors or []):
            self.register_buffer(f"vectors_{at}", values)

    @classmethod
    def restore(cls, state: Mapping[str, Tensor]) -> Self:
        """From `state_dict()`."""
        several, vectors = (
            [state[f"{part}_{at}"] for at in range(sum(name.startswith(f"{part}_") for name in state))]
            for part in ("values", "vectors")
        )
        return cls(state["codes"], state["numbers"], several, vectors)

    @property
    def several(self) -> list[Tensor]:
        """Of each column with several codes a row, int32[n + 1, most codes]: table rows, -1 for none."""
        return [self.get_buffer(f"values_{at}") for at in range(self.n_several)]

    @property
    def vectors(self) -> list[Tensor]:
        """Of each column of vectors, float32[n, dimension]: NaN where unknown; the last row is left out."""
        return [self.get_buffer(f"vectors_{at}") for at in range(self.n_vectors)]

    def is_known(self, ids: Tensor) -> Tensor:
        """bool[n]: whether any value is known of each of `ids`, int64[n]; of -1 none is."""
        known = (self.codes[ids] != self.codes[-1]).any(dim=1)
        known = known | (self.numbers[ids] != self.numbers[-1]).any(dim=1)
        for values in self.several:
            known = known | (values[ids] >= 0).any(dim=1)
        for vectors in self.vectors:
            known = known | has_vector(vectors, ids)
        return known


@dataclass(frozen=True)
class Columns:
    """What was learned of a feature table's columns; new rows are encoded by it too."""

    encodings: dict[str, dict[str, Encoding]]
    """kind → column → what was learned of it"""

    @classmethod
    def of(cls, features: Features) -> Self:
        """The columns of `features`."""
        return cls(
            {
                kind: {name: column.encoding() for name, column in columns.items()}
                for kind, columns in features.by_kind().items()
            }
        )

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """From `dataclasses.asdict`, or that through JSON."""
        return cls(
            {
                kind: {name: KINDS[kind].encoding_type.from_json(each) for name, each in columns.items()}
                for kind, columns in stored["encodings"].items()
            }
        )

    def going_on(self, then: Given, now: Given) -> tuple[Columns, npt.NDArray[np.int64]]:
        """For later rows `now` of the columns whose rows `then` these were learned of, by name.

        Returns:
            The columns, and for each row of their embedding table the row then; -1 for a new value.
        """
        both = {name: (then[name], now[name]) for name in self.all if name in then and name in now}
        found = {name: self.all[name].going_on(*rows) for name, rows in both.items()}
        later = Columns(
            {
                kind: {name: found[name][0] if name in found else each for name, each in columns.items()}
                for kind, columns in self.encodings.items()
            }
        )
        rows = [np.empty(0, np.int64)]
        for (name, each), start in zip(self.coded.items(), self.starts, strict=True):
            codes = found[name][1] if name in found else np.arange(each.n_codes)
            rows.append(np.where(codes < each.n_codes, np.where(codes < 0, -1, codes + start), -1))
        return later, np.concatenate(rows)

    @cached_property
    def all(self) -> dict[str, Encoding]:
        """Column → what was learned of it."""
        return {name: each for columns in self.encodings.values() for name, each in columns.items()}

    @cached_property
    def coded(self) -> dict[str, Encoding]:
        """The columns with codes: first those with one a row."""
        found = [(name, each) for name, each in self.all.items() if each.n_codes]
        return dict(sorted(found, key=lambda each: each[1].several))

    @property
    def sizes(self) -> list[int]:
        """Codes of each of `coded`, together the rows of the embedding table."""
        return [each.n_codes for each in self.coded.values()]

    @property
    def starts(self) -> list[int]:
        """Where each of `coded` begins in the embedding table; its first code is its "unknown"."""
        return [0, *np.cumsum(self.sizes)[:-1].tolist()] if self.sizes else []

    @property
    def numbers(self) -> list[int]:
        """Numbers of a row, of each kind that has any."""
        counts = [sum(each.n_numbers for each in columns.values()) for columns in self.encodings.values()]
        return [count for count in counts if count]

    @cached_property
    def vectors(self) -> dict[str, VectorEncoding]:
        """The columns of vectors."""
        return {name: each for name, each in self.all.items() if isinstance(each, VectorEncoding)}

    @property
    def fields(self) -> int:
        """Vectors a row gives: one a column with codes or vectors, and one for all numbers of a kind."""
        return len(self.sizes) + len(self.numbers) + len(self.vectors)

    def width(self, features: Features) -> int:
        """Codes and numbers that a row of `features` takes."""
        return sum(each.width(features[name]) for name, each in self.all.items())

    def rows(self, features: Features) -> FeatureRows:
        """`features` as tensors; what was not learned counts as unknown.

        Raises:
            InputError: a column is missing.
        """
        self._check(features)
        inputs = {name: _inputs(each, features[name]) for name, each in self.all.items()}
        codes = [(inputs[name].codes, start) for name, start in zip(self.coded, self.starts, strict=True)]
        numbers = [each.numbers for each in inputs.values() if each.numbers is not None]
        nothing = np.empty((features.n_rows + 1, 0))
        one = [each + start for each, start in codes if isinstance(each, np.ndarray)]
        return FeatureRows(
            torch.as_tensor(np.stack(one, axis=1) if one else nothing, dtype=torch.int32),
            torch.as_tensor(np.hstack(numbers) if numbers else nothing, dtype=torch.float32),
            [padded(each, start) for each, start in codes if isinstance(each, Ragged)],
            [torch.as_tensor(each.vectors) for each in inputs.values() if each.vectors is not None],
        )

    def _check(self, features: Features) -> None:
        given = features.by_kind()
        for kind, columns in self.encodings.items():
            missing = sorted(set(columns) - set(given.get(kind, ())))
            if missing:
                raise InputError(
                    f"the {kind} feature column '{missing[0]}' is missing: the model was trained with it; "
                    "give it, with unknown values where need be"
                )


def _inputs(encoding: Encoding, column: Column) -> Inputs:
    """With a last row of which nothing is known, but for vectors: that would copy them."""
    return encoding.inputs(column if encoding.dimension else column.with_unknown())


def has_vector(vectors: Tensor, ids: Tensor) -> Tensor:
    """bool[n]: which of `ids`, int64[n], have a known row in `vectors`, float32[m, w]; -1 has none."""
    return (ids >= 0) & ~vectors[ids.clamp(min=0), 0].isnan()


def padded(codes: Ragged, start: int) -> Tensor:
    """int32[n, most codes]: `codes` from `start` on; -1 where a row has fewer."""
    values, _ = codes.compact()
    rows = np.full((len(codes), int(codes.lengths.max(initial=0))), -1, dtype=np.int32)
    rows[codes.rows(), codes.positions()] = values + start
    return torch.as_tensor(rows)
