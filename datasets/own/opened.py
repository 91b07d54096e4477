"""The tables of one's own log, opened as one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.own import events, names, values
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.prepared import limit
from retrieval_leaderboard.datasets.tables import columns as header
from retrieval_leaderboard.datasets.tables import files
from retrieval_leaderboard.datasets.tables.files import Found
from retrieval_leaderboard.datasets.tables.source_table import (
    SourceTable,
    TableFile,
    joined,
    of_frame,
    open_files,
    without_index,
)
from retrieval_leaderboard.support import progress
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


@dataclass(frozen=True)
class Table:
    """What is given as a table: files, or a pandas table."""

    part: int
    """As `Log.part`"""
    files: list[Found]
    frame: Any = None


def find(spec: DataSpec) -> tuple[list[Table], list[str]]:
    """The tables that `spec` names, and notes; nothing is read.

    Raises:
        InputError: as `check` and `files.find`, or a file that is given twice.
    """
    check(spec)
    seen: set[Path] = set()
    found: list[Table] = []
    notes: list[str] = []
    for part, each in ((part, each) for part, given in spec.tables.items() for each in given):
        if values.is_frame(each):
            found.append(Table(part, [], each))
            continue
        some, more = files.find(each)
        for path in (one.path.resolve() for one in some):
            if path in seen:
                raise InputError(f"{path} is given twice; leave it out once")
            seen.add(path)
        found.append(Table(part, some))
        notes += more
    return found, notes


def tables(spec: DataSpec) -> tuple[SourceTable, Parts | None]:
    """All tables that `spec` names, as one, and the part of each row; None where they come unsplit.

    Where they may take more memory than is free, that is said.

    Raises:
        InputError: as `find` and `source_table.open_files`.
    """
    found, notes = find(spec)
    paths = [one.path for table in found for one in table.files]
    if sentence := limit.proposal(names.of(spec)[1], paths):
        progress.say(sentence)
    opened: list[TableFile] = []
    parts: list[int] = []
    for table in found:
        some = open_files(table.files, spec.columns) if table.files else [of_frame(table.frame)]
        opened += [without_index(each, spec.columns.values()) for each in some]
        parts += [table.part] * len(some)
    if not spec.is_split:
        return joined(opened, tuple(notes)), None
    joint = joined(_of_common_columns(opened, spec), tuple(notes))
    sizes = [len(each.index()) for each in opened]
    return joint, np.repeat(np.array(parts, dtype=np.uint8), sizes)


def _of_common_columns(opened: list[TableFile], spec: DataSpec) -> list[TableFile]:
    """The files of all parts, with the columns that each of them has.

    Raises:
        InputError: a column that is used is not among them.
    """
    first, rest = opened[0], opened[1:]
    if all(set(each.names) == set(first.names) or (first.optional and each.optional) for each in rest):
        return opened
    every = list(dict.fromkeys(name for each in opened for name in each.names))
    filtered = spec.min_rating is not None
    used = header.find(first.path, every, spec.columns, filtered, events.wanted(spec))
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
