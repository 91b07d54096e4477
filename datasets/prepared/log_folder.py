"""A log in a folder of the cache: sorted by user within a limit of memory, and mapped from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ids import opened
from retrieval_leaderboard.datasets.log import ROWS, ByUser, Log, Reading
from retrieval_leaderboard.datasets.prepared.folder import made
from retrieval_leaderboard.datasets.prepared.phases import Phases
from retrieval_leaderboard.datasets.prepared.sorted_rows import Sorted
from retrieval_leaderboard.datasets.prepared.sorting import sort
from retrieval_leaderboard.support.storage import typed
from retrieval_leaderboard.support.storage.mapped import blocks, open_array

ROW_BYTES = 1024
"""Of the limit for each row of a part that is split at once: several times what it takes"""
TABLES = {"user_features": "user_ids", "item_features": "item_ids"}


Sort = Callable[[ChunkedLog, Path, int, Phases], Sorted]
"""As `sorting.sort`"""


def prepared(source: ChunkedLog, folder: Path, memory: int, sort_by: Sort = sort) -> Log:
    """The log of `source` by user, from `folder`, where it is written in at most `memory` bytes at first.

    Whatever sorts it writes the same.

    Raises:
        InputError: as what sorts, or the folder cannot be written.
    """

    def make(scratch: Path) -> dict[str, Any]:
        return _write(source, scratch, memory, sort_by)

    about = made(folder, make, f"the sorted log of {source.name}")
    return _read(source, folder, about, max(1, memory // ROW_BYTES))


def _write(source: ChunkedLog, folder: Path, memory: int, sort_by: Sort) -> dict[str, Any]:
    phases = Phases(source.name)
    found = sort_by(source, folder, memory, phases)
    with phases("describing"):
        for name, describe in zip(TABLES, (source.describe_users, source.describe_items), strict=True):
            if describe:
                describe(np.asarray(opened(folder, TABLES[name]))).save(folder / f"{name}.npz")
    reading = source.reading() if source.reading else None
    reading = reading or Reading(found.rows, {}, times="unix seconds" if found.timed else "")
    reading = replace(
        reading, memory=found.limit, spilled=found.spilled, events=_in_order(folder, reading.events)
    )
    return {"rows": found.rows, "reading": asdict(reading)} | phases.as_json()


def _in_order(folder: Path, events: tuple[str, ...]) -> tuple[str, ...]:
    """`Reading.events` in order; `Log.event` in `folder` has their places then."""
    kinds = sorted(events)
    if kinds != list(events):
        place = np.array([kinds.index(name) for name in events], np.uint8)
        codes = np.lib.format.open_memmap(folder / "event.npy", mode="r+")
        for block in blocks(len(codes)):
            codes[block] = place[codes[block]]
        codes.flush()
    return tuple(kinds)


def _read(source: ChunkedLog, folder: Path, about: dict[str, Any], at_once: int) -> Log:
    reading, found = typed.parse(Reading, about["reading"]), arrays(folder)
    return Log(
        name=source.name,
        ordered=source.ordered,
        periods=source.periods,
        by_user=ByUser(found.pop("row"), found.pop("offsets"), at_once, folder),
        title=source.title,
        notes=(*source.notes, *reading.notes),
        reading=reading,
        **found,
    )


def arrays(folder: Path) -> dict[str, Any]:
    """The rows, ids and features of a log, by the names of its fields, and `ByUser.row` and `offsets`."""
    found = {name: folder / f"{name}.npy" for name in (*ROWS, "listed", "row")}
    tables = {name: folder / f"{name}.npz" for name in TABLES}
    return {
        **{name: open_array(path) if path.exists() else None for name, path in found.items()},
        **{name: Features.load(path) if path.exists() else None for name, path in tables.items()},
        **{ids: opened(folder, ids) for ids in TABLES.values()},
        "offsets": open_array(folder / "offsets.npy"),
    }
