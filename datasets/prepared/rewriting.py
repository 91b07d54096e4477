"""Logs by user that are made of others: their columns are written block by block to `ByUser.scratch`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import ROWS, ByUser, Log, recoded
from retrieval_leaderboard.datasets.ragged import offsets_of
from retrieval_leaderboard.support.storage.mapped import (
    Growing,
    Mapped,
    blocks,
    counts,
    growing,
    loaded,
    open_array,
)

GROUP = 256
"""Rows whose places within their group fit into a byte"""

Mask = npt.NDArray[np.bool_]


def selected(log: Log, kept: Mask, users: Mask, items: Mask) -> Log:
    """The log of the rows `kept`, all of which are of `users` and `items`, the only ones that stay.

    Args:
        log: by user.
        kept: bool[n].
        users: bool[n_users].
        items: bool[n_items].
    """
    if kept.all() and users.all() and items.all():
        return log
    by_user, folder = log.by_user, _new_folder(log)
    assert by_user is not None
    known = log.with_catalog(items).with_people(users)
    columns: dict[str, Any] = {name: getattr(log, name) for name in ROWS} | {"row": by_user.row}
    columns = {name: values for name, values in columns.items() if values is not None}
    change = {"row": _places(by_user, kept), "user": _codes(users), "item": _codes(items)}
    with growing(folder) as arrays:
        for block in blocks(len(kept), by_user.at_once):
            for name, values in columns.items():
                some = loaded(values[block])[kept[block]]
                arrays.append(name, change[name](some) if name in change else some)
    found: dict[str, Any] = {name: open_array(folder / f"{name}.npy") for name in columns}
    offsets = offsets_of(counts(found["user"], len(known.user_ids)))
    _forget(log)
    return replace(known, by_user=replace(by_user, row=found.pop("row"), offsets=offsets), **found)


def looked_up(log: Log, table: npt.NDArray, codes: npt.NDArray[np.integer]) -> npt.NDArray:
    """`table[codes]`: a column of `log` made of another, `codes`, integer[n]."""
    if log.by_user is None:
        return table[codes]
    path = _new_folder(log) / "column.npy"
    with Growing(path, table.dtype) as column:
        for block in blocks(len(codes), log.by_user.at_once):
            column.append(table[loaded(codes[block])])
    return open_array(path)


def _new_folder(log: Log) -> Path:
    assert log.by_user is not None and log.by_user.scratch is not None
    return Path(mkdtemp(dir=log.by_user.scratch))


def _forget(log: Log) -> None:
    """Remove the columns of a log that was made on the way to another."""
    assert log.by_user is not None
    if isinstance(log.user, Mapped):
        folder = Path(str(log.user.filename)).parent
        if folder.parent == log.by_user.scratch:
            shutil.rmtree(folder)


def _codes(kept: Mask) -> Callable[[npt.NDArray[np.int32]], npt.NDArray[np.int32]]:
    new = recoded(kept)
    return lambda codes: new[codes]


def _places(by_user: ByUser, kept: Mask) -> Callable[[npt.NDArray[np.integer]], npt.NDArray[np.integer]]:
    """Row of the source → its place among those of the source that are kept, in two bytes a row."""
    stays = np.zeros(-(-len(kept) // GROUP) * GROUP, dtype=np.uint8)
    for block in blocks(len(kept), by_user.at_once):
        stays[loaded(by_user.row[block])] = kept[block]
    groups = stays.reshape(-1, GROUP)
    before = offsets_of(groups.sum(axis=1, dtype=np.int64))
    within = np.cumsum(groups, axis=1, dtype=np.uint8)
    within -= groups  # From 0 to 255: a sum of 256 wraps around and back.
    flat = within.ravel()
    return lambda rows: (before[rows // GROUP] + flat[rows]).astype(rows.dtype)
