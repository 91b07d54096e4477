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
        if cells.is_nested:
            continue
        if needs_time and is_time(cells):
            found.append(of_time(name, given))
        elif _is_label(cells):
            found.append(of_label(name, given))
        elif kinds := _kinds(cells):
            found.append(of_kinds(name, kinds, given))
    return found


def of_kinds(name: str, kinds: list[str], given: Mapping[str, str]) -> str:
    """The warning on a column that looks like kinds of events."""
    use, weights = columns.option(given, "event", name), ",".join(f"{kind}=1" for kind in kinds)
    return (
        f"column '{name}' looks like kinds of events and is not used: every row counts alike; to weigh them: "
        f"{use} --events {shlex.quote(weights)}"
    )


def of_time(name: str, given: Mapping[str, str]) -> str:
    """The warning on a column that looks like a time."""
    use = columns.option(given, "timestamp", name)
    return f"column '{name}' looks like a time and is not used; to use it: {use}"


def of_label(name: str, given: Mapping[str, str]) -> str:
    """The warning on a column that looks like a label."""
    use = columns.option(given, "rating", name)
    return (
        f"column '{name}' holds 0 and 1 and is not used: every row counts as taken; where 0 means not taken: "
        f"{use} --min-rating 1"
    )


def _kinds(cells: Cells) -> list[str]:
    """The values of a column that is called as columns of events are, where they are two to `MOST_KINDS`."""
    kinds = sorted(values(cells)) if is_event(cells.column) else []
    return kinds if 2 <= len(kinds) <= MOST_KINDS else []


def is_event(name: str) -> bool:
    """Whether a column is called as columns of events are."""
    return columns.plain(name) in columns.NAMES["event"]


def values(cells: Cells) -> set[str]:
    """The different values of a column, as text."""
    return set(cells.values.dropna().drop_duplicates().astype(str).str.strip())


def _is_label(cells: Cells) -> bool:
    """Whether both 0 and 1 are there, and nothing else."""
    return labels(cells.values.iloc[:SAMPLE]) <= {0, 1} and labels(cells.values) == {0, 1}


def labels(values: pd.Series) -> set[int | None]:
    """0 and 1 of the values that are there, None for others."""
    distinct = values.dropna().drop_duplicates().astype(str).str.strip().str.lower()
    return {ZERO_OR_ONE.get(value) for value in distinct if value}


def is_time(cells: Cells) -> bool:
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
