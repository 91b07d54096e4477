"""The tables of one's own log, opened as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import TEST, TRAIN, VALID
from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.tables import columns as header
from retrieval_leaderboard.datasets.tables import files
from retrieval_leaderboard.datasets.tables.source_table import (
    SourceTable,
    TableFile,
    joined,
    of_frame,
    open_files,
    without_index,
)
from retrieval_leaderboard.support.errors import InputError

Parts = npt.NDArray[np.uint8]
"""uint8[n], as `Log.part`"""


def check(spec: DataSpec) -> None:
    """InputError where the tables that are given make no log."""
    if spec.interactions and spec.is_split:
        raise InputError("a log comes split or not: leave out --dataset, or --train, --valid and --test")
    if spec.is_split and not (spec.train and spec.test):
        raise InputError("a log that comes split needs --train and --test; --valid may be left out")
    if not spec.interactions and not spec.is_split:
        raise InputError("no interactions are named: give interactions, or train and test")


def tables(spec: DataSpec) -> tuple[SourceTable, Parts | None]:
    """All tables that `spec` names, as one, and the part of each row; None where they come unsplit.

    Raises:
        InputError: as `check` and `source_table.open_table`, or a file that is given twice.
    """
    check(spec)
    groups = {TRAIN: spec.train or spec.interactions, VALID: spec.valid, TEST: spec.test}
    seen: set[Path] = set()
    opened: list[TableFile] = []
    parts: list[int] = []
    notes: list[str] = []
    for part, given in groups.items():
        found, more = _open(given, spec, seen)
        opened += found
        parts += [part] * len(found)
        notes += more
    named = spec.columns.values()
    opened = [without_index(each, named) for each in opened]
    if not spec.is_split:
        return joined(opened, tuple(notes)), None
    table = joined(_of_common_columns(opened, spec), tuple(notes))
    sizes = [len(each.index()) for each in opened]
    return table, np.repeat(np.array(parts, dtype=np.uint8), sizes)


def _of_common_columns(opened: list[TableFile], spec: DataSpec) -> list[TableFile]:
    """The files of all parts, with the columns that each of them has.

    Raises:
        InputError: a column that is used is not among them.
    """
    first, rest = opened[0], opened[1:]
    if all(set(each.names) == set(first.names) or each.optional for each in rest):
        return opened
    every = list(dict.fromkeys(name for each in opened for name in each.names))
    filtered, events = spec.min_rating is not None, bool(spec.events or spec.target)
    used = header.find(first.path, every, spec.columns, filtered, events)
    for role, column in used.items():
        lacking = next((each for each in opened if column not in each.names), None)
        if lacking is not None:
            without = "" if role in header.REQUIRED else f", or do without it: --columns {role}="
            raise InputError(
                f"{lacking.path} has no column '{column}', which other parts have for the {role}; give "
                f"it{without}"
            )
    common = set(every).intersection(*(each.names for each in opened))
    return [replace(each, names=[name for name in each.names if name in common]) for each in opened]


def _open(given: Sequence[Any], spec: DataSpec, seen: set[Path]) -> tuple[list[TableFile], list[str]]:
    """The tables of a part, and notes; `seen` are the files of other parts, and then of this one too."""
    opened: list[TableFile] = []
    notes: list[str] = []
    for each in given:
        if values.is_frame(each):
            opened.append(of_frame(each))
            continue
        found, more = files.find(each)
        for path in (one.path.resolve() for one in found):
            if path in seen:
                raise InputError(f"{path} is given twice; leave it out once")
            seen.add(path)
        opened += open_files(found, spec.columns)
        notes += more
    return opened, notes
