"""The parts of a split as arrays in a folder: appended part by part, then mapped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.datasets.splits.protocol import Parts
from retrieval_leaderboard.support.storage.mapped import GrowingFolder, growing, open_array

TABLES = ("train", "train_valid")
ASKED = ("valid", "test")
EVENTS = "events"
"""Items of histories that are no rows of a table, such as all events of a user in order"""


@dataclass(frozen=True)
class Layout:
    """What the folder's arrays do not say of themselves."""

    n_users: int
    n_items: int
    ordered: bool
    columns: dict[str, list[str]]
    """table or queries → its columns"""
    histories: dict[str, str]
    """queries → the array that their histories are rows of"""
    excludes: bool
    """Whether what a query may not be answered with is its history, or nothing"""
    counted: dict[str, int] = field(default_factory=dict)
    carve: str = ""
    asked: int = 0

    def without(self, *columns: str) -> Layout:
        """The layout of what has no such columns."""
        kept = {of: [name for name in names if name not in columns] for of, names in self.columns.items()}
        return replace(self, columns=kept)


def write(folder: Path, parts: Iterator[tuple[int, Parts]], n_users: int) -> Layout:
    """Append `parts`, as `split.Join` takes them, to arrays in `folder`."""
    layout: Layout | None = None
    with growing(folder) as arrays:
        for first_user, part in parts:
            layout = _joined(layout, _append(arrays, first_user, part))
    assert layout is not None  # A log has a user.
    return replace(layout, n_users=n_users)


def read(folder: Path, layout: Layout) -> Parts:
    """What `write` wrote, mapped."""

    def array(name: str) -> npt.NDArray:
        return open_array(folder / f"{name}.npy")

    def columns(of: str) -> dict[str, Any]:
        return {"timestamp": None} | {name: array(f"{of}.{name}") for name in layout.columns[of]}

    tables: dict[str, Any] = {
        name: Interactions(
            **columns(name), n_users=layout.n_users, n_items=layout.n_items, ordered=layout.ordered
        )
        for name in TABLES
    }
    values = {name: tables[name].item for name in TABLES}
    values |= {name: array(name) for name in set(layout.histories.values()) - values.keys()}
    for name in ASKED:
        history = Ragged(values[layout.histories[name]], array(f"{name}.start"), array(f"{name}.stop"))
        offsets = offsets_of(array(f"{name}.truths"))
        tables[name] = Queries(
            **columns(name),
            history=history,
            exclude=history if layout.excludes else Ragged.empty(len(history)),
            relevant=Ragged.from_offsets(array(f"{name}.relevant"), offsets),
        )
    return Parts(**tables, counted=layout.counted, carve=layout.carve, asked=layout.asked)


def _append(arrays: GrowingFolder, first_user: int, part: Parts) -> Layout:
    """Write a part; what it tells of the layout."""
    columns = {
        name: _append_columns(arrays, name, getattr(part, name), first_user) for name in (*TABLES, *ASKED)
    }
    begins = {name: columns[name]["item"] for name in TABLES}
    known = {name: getattr(part, name).item for name in TABLES}
    histories = {}
    for name in ASKED:
        queries: Queries = getattr(part, name)
        shared = queries.history.values
        at = next((array for array, values in known.items() if values is shared), f"{name}.{EVENTS}")
        if at not in known:
            known[at], begins[at] = shared, arrays.append(at, shared)
        histories[name] = at
        arrays.append(f"{name}.start", queries.history.start + begins[at])
        arrays.append(f"{name}.stop", queries.history.stop + begins[at])
        arrays.append(f"{name}.relevant", queries.relevant.compact()[0])
        arrays.append(f"{name}.truths", queries.relevant.lengths)
    return Layout(
        n_users=0,
        n_items=part.train.n_items,
        ordered=part.train.ordered,
        columns={of: list(names) for of, names in columns.items()},
        histories=histories,
        excludes=part.test.exclude.values is part.test.history.values,
        counted=part.counted,
        carve=part.carve,
        asked=part.asked,
    )


def _append_columns(
    arrays: GrowingFolder, name: str, table: Interactions | Queries, first_user: int
) -> dict[str, int]:
    """Write the arrays that have a number a row; column → how long its array was."""
    found = {each.name: getattr(table, each.name) for each in fields(table)}
    columns = {key: value for key, value in found.items() if isinstance(value, np.ndarray)}
    columns["user"] = columns["user"] + np.int32(first_user)
    return {key: arrays.append(f"{name}.{key}", value) for key, value in columns.items()}


def _joined(before: Layout | None, part: Layout) -> Layout:
    """One layout of both, which differ in what is counted alone."""
    if before is None:
        return part
    counted = {
        words: before.counted.get(words, 0) + part.counted.get(words, 0)
        for words in before.counted | part.counted
    }
    assert (before.columns, before.histories) == (part.columns, part.histories)
    return replace(before, counted=counted, asked=before.asked + part.asked)
