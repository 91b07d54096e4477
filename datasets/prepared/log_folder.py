"""A log in a folder of the cache: sorted by user within a limit of memory, and mapped from then on."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ids import opened
from retrieval_leaderboard.datasets.log import COLUMNS, ByUser, Log, Reading
from retrieval_leaderboard.datasets.prepared.folder import made
from retrieval_leaderboard.datasets.prepared.phases import Phases
from retrieval_leaderboard.datasets.prepared.sorting import sort
from retrieval_leaderboard.support.storage import typed
from retrieval_leaderboard.support.storage.mapped import open_array

ROW_BYTES = 1024
"""Of the limit for each row of a part that is split at once: several times what it takes"""
TABLES = {"user_features": "user_ids", "item_features": "item_ids"}


def prepared(source: ChunkedLog, folder: Path, memory: int) -> Log:
    """The log of `source` by user, from `folder`, where it is written in at most `memory` bytes at first.

    Raises:
        InputError: as `sorting.sort`, or the folder cannot be written.
    """
    about = made(folder, lambda scratch: _write(source, scratch, memory), f"the sorted log of {source.name}")
    return _read(source, folder, about, max(1, memory // ROW_BYTES))


def _write(source: ChunkedLog, folder: Path, memory: int) -> dict[str, Any]:
    phases = Phases(source.name)
    found = sort(source, folder, memory, phases)
    with phases("describing"):
        for name, describe in zip(TABLES, (source.describe_users, source.describe_items), strict=True):
            if describe:
                describe(np.asarray(opened(folder, TABLES[name]))).save(folder / f"{name}.npz")
    reading = source.reading() if source.reading else None
    reading = reading or Reading(found.rows, {}, times="unix seconds" if found.timed else "")
    reading = replace(reading, memory=memory, spilled=found.spilled)
    return {"rows": found.rows, "reading": asdict(reading)} | phases.as_json()


def _read(source: ChunkedLog, folder: Path, about: dict[str, Any], at_once: int) -> Log:
    def array(name: str) -> Any:
        path = folder / f"{name}.npy"
        return open_array(path) if path.exists() else None

    def features(name: str) -> Any:
        path = folder / f"{name}.npz"
        return Features.load(path) if path.exists() else None

    reading = typed.parse(Reading, about["reading"])
    return Log(
        name=source.name,
        user=array("user"),
        item=array("item"),
        user_ids=opened(folder, "user_ids"),
        item_ids=opened(folder, "item_ids"),
        ordered=source.ordered,
        periods=source.periods,
        listed=array("listed"),
        by_user=ByUser(array("row"), np.asarray(array("offsets")), at_once, folder),
        title=source.title,
        notes=(*source.notes, *reading.notes),
        reading=reading,
        **{name: features(name) for name in TABLES},
        **{name: array(name) for name in COLUMNS},
    )
