"""A table of features: columns of any kind."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features.column import KINDS, Column, Rows, restored
from retrieval_leaderboard.support.errors import InputError

ABOUT = "about"


@dataclass(frozen=True)
class Features:
    """What is known of each user, item or moment; row i of every column describes number i of n."""

    columns: dict[str, Column] = field(default_factory=dict)
    """Name → column, in the order of `KINDS` and, within a kind, as given"""

    def __post_init__(self) -> None:
        rows = {name: len(column) for name, column in self.columns.items()}
        if len(set(rows.values())) > 1:
            raise InputError(f"feature columns must have a row for each user or item: their rows are {rows}")
        order = list(KINDS)
        ordered = sorted(self.columns.items(), key=lambda each: order.index(each[1].kind))
        object.__setattr__(self, "columns", dict(ordered))

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    @property
    def n_rows(self) -> int:
        """Rows of every column; 0 without one."""
        return next(map(len, self.columns.values()), 0)

    def take(self, rows: Rows) -> Features:
        """The given rows."""
        return Features({name: column.take(rows) for name, column in self.columns.items()})

    def compact(self) -> Features:
        """Without values that no row has."""
        return Features({name: column.compact() for name, column in self.columns.items()})

    def by_kind(self) -> dict[str, dict[str, Column]]:
        """The columns of each kind that has any."""
        found: dict[str, dict[str, Column]] = {}
        for name, column in self.columns.items():
            found.setdefault(column.kind, {})[name] = column
        return found

    def description(self) -> dict[str, dict[str, Any]]:
        """Column → its kind and `Column.description`, as JSON can hold it."""
        return {name: {"kind": column.kind} | column.description() for name, column in self.columns.items()}

    def save(self, path: Path) -> None:
        """Write them to one .npz file."""
        about = json.dumps(self.description()).encode()
        arrays: dict[str, npt.NDArray] = {ABOUT: np.frombuffer(about, dtype=np.uint8)}
        for name, column in self.columns.items():
            arrays |= {f"{name}/{part}": array for part, array in column.arrays().items()}
        np.savez(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Features:
        """What `save` wrote."""
        with np.load(path) as stored:
            arrays = dict(stored)
        about = json.loads(arrays.pop(ABOUT).tobytes())
        return cls({name: restored(_parts(arrays, name), each) for name, each in about.items()})


def _parts(arrays: dict[str, npt.NDArray], name: str) -> dict[str, npt.NDArray]:
    """Of the arrays `column/part`, the parts of the column `name`."""
    keys = [key.rpartition("/") for key in arrays]
    return {part: arrays[f"{name}/{part}"] for column, _, part in keys if column == name}
