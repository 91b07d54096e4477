"""Columns of features that all but a few values would make numbers or lists: what to mend is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.own.features import feature_types, vectors
from retrieval_leaderboard.datasets.own.features.feature_types import LEFT_OUT, NEARLY, NUMBER, VECTOR, Type
from retrieval_leaderboard.datasets.own.features.feature_values import Values, are_lists, holds_lists, listed
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.tables.ids import LARGEST_WHOLE
from retrieval_leaderboard.datasets.times.parse import TEXT


@dataclass(frozen=True)
class NearMiss:
    """A column of which a few values are none of the type of all others."""

    cells: Cells
    at: int
    """The first of the few"""
    problem: str
    """What it is, in words that go on from the value and its column"""
    count: str
    """How many others are, in words"""
    meant: str
    """The type of all others"""

    def warning(self, role: str, found: Type) -> str:
        """A sentence for the features of a `role`, whose column is taken for what was `found`."""
        cells = self.cells
        place = cells.place(self.at) if cells.places else f"{cells.path.name}, {cells.place(self.at)}"
        taken = "is not used" if found.name == LEFT_OUT else f"is taken for {found.name}"
        name = cells.column.split(":")[0]
        return (
            f"{place}: '{cells.shown(self.at)}' in column '{name}' {self.problem}, and {self.count}: the "
            f"column {taken}; correct it or leave it empty, then --{role}-features {name}={self.meant}, or "
            "choose another type"
        )


def of(cells: Cells, found: Type) -> NearMiss | None:
    """What keeps a column, for which a type was `found`, from being numbers or lists; None for nothing."""
    name, _, declared = cells.column.partition(":")
    if found.name in (NUMBER, VECTOR) or declared in feature_types.RECBOLE or feature_types.is_code(name):
        return None
    if holds_lists(cells):
        return _lengths(cells, _sizes(cells)) if found.why == feature_types.LENGTHS else None
    if cells.arrow_type() not in (*TEXT, *LARGEST_WHOLE):
        return None
    values = Values.of(cells)
    if are_lists(values.texts):
        sizes = np.array([len(listed(text) or []) for text in values.texts], dtype=np.int64)
        each = np.append(sizes, -1)[values.codes]
        return _lengths(cells, each) if found.why == feature_types.LENGTHS else None
    numbers = np.isfinite(values.numbers())
    lists = np.array([are_lists([text]) for text in values.texts], dtype=np.bool_)
    for good, problem, meant in ((numbers, "number", NUMBER), (lists, "list", "")):
        few = _few(np.append(good, True)[values.codes], values.codes >= 0)
        if few is not None:
            kept = Values.of(cells.take(np.append(good, False)[values.codes]))
            meant = meant or feature_types.find(kept.cells).name
            return NearMiss(cells, few[0], f"is no {problem}", f"{few[1]} are {problem}s", meant)
    return None


def _few(good: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]) -> tuple[int, str] | None:
    """The first row that is not `good`, and how many of those `known` are, where nearly all are."""
    wrong = known & ~good
    few, rows = int(wrong.sum()), int(known.sum())
    if not few or few > (1 - NEARLY) * rows:
        return None
    return int(np.argmax(wrong)), f"{rows - few:,} of {rows:,} values"


def _sizes(cells: Cells) -> npt.NDArray[np.int64]:
    """int64[n]: how long each list is; -1 where it is missing."""
    sizes = np.full(len(cells), -1, dtype=np.int64)
    for rows, block in vectors.arrow_blocks(cells):
        sizes[rows] = block.shape[1]
    return sizes


def _lengths(cells: Cells, sizes: npt.NDArray[np.int64]) -> NearMiss | None:
    """Lists of numbers of which nearly all are of one length."""
    usual = Counter(sizes[sizes >= 0].tolist()).most_common(1)[0][0]
    few = _few(sizes == usual, sizes >= 0)
    if few is None:
        return None
    problem = f"is a list of {sizes[few[0]]} numbers"
    return NearMiss(cells, few[0], problem, f"{few[1]} have {usual}", VECTOR)
