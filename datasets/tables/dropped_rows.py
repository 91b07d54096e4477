"""Warnings on columns of a user's file that are not used and may have to be."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from retrieval_leaderboard.datasets.tables import columns
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.tables.source_table import SourceTable
from retrieval_leaderboard.datasets.times import parse, unix_times
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 1000
MOST_KINDS = 10
ZERO_OR_ONE = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}


def warnings(
    source: SourceTable, names: Iterable[str], given: Mapping[str, str], needs_time: bool
) -> list[str]:
    """A warning for each of the columns `names` that looks like a label, kinds of events or, where
    `needs_time`, a time.

    `given` is what the user said of other columns.
    """
    found = []
    for name in names:
        if source.names.count(name) > 1 or name in source.nested:
            continue
        cells = source.cells(name)
        if needs_time and _is_time(cells):
            use = columns.option(given, "timestamp", name)
            found.append(f"column '{name}' looks like a time and is not used; to use it: {use}")
        elif _is_label(cells):
            use = columns.option(given, "rating", name)
            found.append(
                f"column '{name}' holds 0 and 1 and is not used: every row counts as taken; where 0 means "
                f"not taken: {use} --min-rating 1"
            )
        elif kinds := _kinds(cells):
            use, weights = columns.option(given, "event", name), ",".join(f"{kind}=1" for kind in kinds)
            found.append(
                f"column '{name}' looks like kinds of events and is not used: every row counts alike; to "
                f"weigh them: {use} --events {shlex.quote(weights)}"
            )
    return found


def _kinds(cells: Cells) -> list[str]:
    """The values of a column that is called as columns of events are, where they are two to `MOST_KINDS`."""
    if columns.plain(cells.column) not in columns.NAMES["event"]:
        return []
    kinds = sorted(cells.values.dropna().drop_duplicates().astype(str).str.strip())
    return kinds if 2 <= len(kinds) <= MOST_KINDS else []


def _is_label(cells: Cells) -> bool:
    """Whether both 0 and 1 are there, and nothing else."""
    return _labels(cells.values.iloc[:SAMPLE]) <= {0, 1} and _labels(cells.values) == {0, 1}


def _labels(values: pd.Series) -> set[int | None]:
    """0 and 1 of the values that are there, None for others."""
    distinct = values.dropna().drop_duplicates().astype(str).str.strip().str.lower()
    return {ZERO_OR_ONE.get(value) for value in distinct if value}


def _is_time(cells: Cells) -> bool:
    """By type, by name, or as a sample of the values reads as dates."""
    if cells.arrow_type().startswith(("timestamp", "date")) or columns.TIME_LIKE.search(cells.column):
        return True
    sample = replace(cells, values=cells.values.iloc[:SAMPLE])
    sample = sample.take(~sample.missing())
    try:
        found = parse.read(sample) if len(sample) else None
    except InputError:
        return False
    first, last = unix_times.PLAUSIBLE
    return found is not None and bool(((found.seconds >= first) & (found.seconds <= last)).all())
