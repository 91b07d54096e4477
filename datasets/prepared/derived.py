"""A log that is made of one by user, such as by filters, in a folder of the cache."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ids import compact
from retrieval_leaderboard.datasets.log import ROWS, Filtered, Log, Reading
from retrieval_leaderboard.datasets.prepared.folder import key, made
from retrieval_leaderboard.datasets.prepared.log_folder import TABLES, arrays
from retrieval_leaderboard.datasets.prepared.phases import Phases
from retrieval_leaderboard.support.storage import typed
from retrieval_leaderboard.support.storage.mapped import Mapped


def derived(log: Log, make: Callable[[Log], Log], said: Any, phase: str) -> Log:
    """`make(log)`; of a log by user it comes from the cache, where it is kept from now on.

    Args:
        log: in memory, or from `log_folder.prepared` or this function.
        make: may change columns, ids, features and `Log.filtered`, and add notes; all else must stay.
        said: all that decides what `make` does beside `log`, as `repr` tells it.
        phase: what it does, for messages.

    Raises:
        InputError: as `make`, or the folder cannot be written.
    """
    by_user = log.by_user
    if by_user is None:
        return make(log)
    assert by_user.folder is not None
    target = by_user.folder.with_name(f"{by_user.folder.name}-{key(phase, said)}")

    def write(scratch: Path) -> dict[str, Any]:
        phases = Phases(log.name)
        with phases(phase):
            found = make(replace(log, by_user=replace(by_user, scratch=scratch)))
            _keep(found, scratch)
        notes = found.notes[len(log.notes) :]
        about = {"reading": asdict(found.reading or Reading(0, {})), "notes": notes}
        return about | {"filtered": [asdict(each) for each in found.filtered]} | phases.as_json()

    about = made(target, write, f"{log.name}, {phase},")
    found = arrays(target)
    rows = {name: found.pop(name) for name in ("row", "offsets")}
    return replace(
        log,
        **found,
        by_user=replace(by_user, **rows, folder=target),
        notes=(*log.notes, *about["notes"]),
        reading=typed.parse(Reading, about["reading"]),
        filtered=tuple(typed.parse(Filtered, each) for each in about["filtered"]),
    )


def _keep(log: Log, folder: Path) -> None:
    """Have all of `log` in `folder`, and nothing else."""
    assert log.by_user is not None
    columns: dict[str, Any] = {name: getattr(log, name) for name in (*ROWS, "listed")}
    columns |= {"row": log.by_user.row, "offsets": log.by_user.offsets}
    for name, values in columns.items():
        if values is not None:
            _keep_array(values, folder / f"{name}.npy")
    for name, ids in TABLES.items():
        compact(getattr(log, ids)).save(folder, ids)
        features = getattr(log, name)
        if features is not None:
            features.save(folder / f"{name}.npz")
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def _keep_array(values: npt.NDArray, path: Path) -> None:
    """Write an array, or where it is a file already, give that another name."""
    if not isinstance(values, Mapped):
        np.save(path, values)
        return
    there = str(values.filename)
    try:
        os.link(there, path)
    except OSError:  # A file system without such names.
        shutil.copyfile(there, path)
