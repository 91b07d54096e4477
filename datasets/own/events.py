"""Kinds of events in one's own data: what they weigh, and which may be relevant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets import filters
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.own.amounts import LARGEST
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.prepared import rewriting
from retrieval_leaderboard.datasets.tables import ids, numbers
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.storage.mapped import counts

MOST = 255
"""Kinds of events that a column may have"""


def wanted(spec: DataSpec) -> bool:
    """Whether a column of events is needed."""
    return bool(spec.events or spec.target)


def check(path: Path, found: Mapping[str, str], spec: DataSpec, has: str) -> None:
    """Refuse options without the columns they need, and columns that nothing uses.

    Args:
        path: of the file, for messages.
        found: role → column.
        spec: what is said of the file.
        has: which columns it has, in words.
    """
    asked = "--events" if spec.events else "--target"
    if wanted(spec) and "event" not in found:
        raise InputError(f"{path}: {asked} needs events; name their column: --columns event=NAME; {has}")
    if "event" in found and not wanted(spec):
        raise InputError(
            f"--columns event={found['event']}: nothing uses it; give --events or --target, or leave it out"
        )
    if spec.events and "weight" in found:
        raise InputError(f"--events and --columns weight={found['weight']}: give weights by one of the two")


def read(table: Mapping[str, Cells]) -> tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]:
    """`Log.event` and `Log.weight` of a table by role, where it has them; the kinds of events; and notes.

    Raises:
        InputError: too many kinds of events, or a weight that is no number above 0 (line).
    """
    found: dict[str, Any] = {}
    kinds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if "event" in table:
        cells = table["event"]
        named, codes, notes = ids.read(cells)
        kinds = tuple(named)
        check_kinds(cells, len(kinds))
        found["event"] = codes.astype(np.uint8)
    if "weight" in table:
        found["weight"] = weights(table["weight"])
    return found, kinds, notes


def check_kinds(cells: Cells, kinds: int) -> None:
    """Refuse a column with so many kinds of events, if they are too many."""
    if kinds > MOST:
        raise InputError(
            f"{cells.path}: column '{cells.column}' has more than {MOST} different values, the most "
            "that events have; is it the right one?"
        )


def weights(cells: Cells) -> npt.NDArray[np.float32]:
    """float32[n].

    Raises:
        InputError: a weight that is no number above 0 (line).
    """
    found = numbers.read(cells)
    wrong = ~((found >= 1 / LARGEST) & (found <= LARGEST))
    if wrong.any():
        advice = "leave such rows out of the file, or do without weights"
        raise cells.wrong(int(np.argmax(wrong)), f"is no weight, which is a number above 0; {advice}")
    return found


def applied(log: Log, spec: DataSpec) -> Log:
    """`log` with the weights and targets of its events, without events that are not among `spec.events`.

    Where every event is a target, none is apart.

    Raises:
        InputError: an event that never occurs, or a target that is left out.
    """
    if log.event is None or log.reading is None:
        return log
    kinds = list(log.reading.events)
    for name in (*spec.events, *spec.target):
        if name not in kinds:
            option = "--events" if name in spec.events else "--target"
            raise InputError(f"{option} {name}: {log.title}: {unknown('event', name, kinds)}")
    for name in spec.target:
        if spec.events and name not in spec.events:
            raise InputError(f"--target {name}: it is not among --events {_written(spec.events)}; add it")
    left_out = {
        f"with event '{name}'": int(rows)
        for name, rows in zip(kinds, counts(log.event, len(kinds)), strict=True)
        if rows and spec.events and name not in spec.events
    }
    dropped = log.reading.dropped | left_out
    log = replace(log, reading=replace(log.reading, dropped=dropped))
    if spec.events:
        log = filters.of_rows(log, _is_among(spec.events, log, kinds))
        weight = np.array([spec.events.get(name, 0.0) for name in kinds], np.float32)
        log = replace(log, weight=rewriting.looked_up(log, weight, _codes(log)))
    if not len(log.user):
        raise InputError(f"{log.title}: no row has an event of {_written(spec.events)}; name others")
    if spec.target:
        target = _is_among(spec.target, log, kinds)
        log = replace(log, target=None if target.all() else target)
    return log


def _is_among(names: Collection[str], log: Log, kinds: list[str]) -> npt.NDArray[np.bool_]:
    """bool[n]: which rows have an event of `names`."""
    return filters.each(np.array([name in names for name in kinds]), _codes(log))


def _codes(log: Log) -> npt.NDArray[np.uint8]:
    assert log.event is not None
    return log.event


def words(spec: DataSpec) -> tuple[str, ...]:
    """What titles say of it."""
    found = [_written(spec.events)] if spec.events else []
    return (*found, *([f"target {'+'.join(spec.target)}"] if spec.target else []))


def _written(events: Mapping[str, float]) -> str:
    return " ".join(f"{name}={weight:g}" for name, weight in events.items())
