"""One's own interactions, in files or pandas tables, as a log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import Log, Reading
from retrieval_leaderboard.datasets.own import events, names, opened
from retrieval_leaderboard.datasets.own.features import described_tables
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.tables import columns as header
from retrieval_leaderboard.datasets.tables import ids, numbers, unused_columns
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.times import parse
from retrieval_leaderboard.datasets.times.unix_times import Times
from retrieval_leaderboard.support.errors import InputError

SPOKEN = {
    "user": "a user",
    "item": "an item",
    "timestamp": "a time",
    "rating": "a rating",
    "event": "an event",
    "weight": "a weight",
}

Roles = dict[str, Cells]


def read(spec: DataSpec, *, timed: bool = True, rated: bool = True) -> Log:
    """Read tables of interactions.

    Args:
        spec: where they are, and what is said of them.
        timed: whether times are needed; if not, a column that was guessed and holds none is left out.
        rated: whether ratings are used; if not, they are read where named or for `min_rating`.

    Raises:
        InputError: no such file, an empty one, files that differ in their columns, a column that is not
            there, a missing value, or one that is no id, time or number (file and line).
    """
    source, parts = opened.tables(spec)
    path = source.path
    roles = find(path, source.names, spec, rated)
    table = {role: source.cells(column) for role, column in roles.items()}
    check_rows(path, table, source.names)
    unread = [] if timed or "timestamp" in spec.columns else without_unreadable_times(table, spec)
    whole = table
    table, dropped = complete(table, spec)
    check_left(path, len(table["user"]))
    rating = ratings(table["rating"], spec) if "rating" in table else None
    if rating is not None and spec.min_rating is not None:
        table, low = with_rating(table, rating, spec.min_rating)
        check_left(path, len(table["user"]), spec.min_rating)
        # The line is drawn: a protocol's own does not come on top of it.
        rating, dropped = None, dropped | low
    left_out = items_left_out(whole, table) if dropped and lists_items(spec) else set[str]()
    when = times(table["timestamp"], spec) if "timestamp" in table else None
    name, title = names.of(spec)
    user_ids, user, of_users = ids.read(table["user"])
    item_ids, item, of_items = ids.read(table["item"])
    weighed, kinds, of_events = events.read(table)
    used = {role: cells.column for role, cells in table.items()}
    rest = tuple(name for name in source.names if name not in used.values())
    needs_time = "timestamp" not in {*used, *spec.columns} and not unread
    notes = [*source.notes, *unread, *of_users, *of_items, *of_events, *(when.warnings if when else ())]
    notes += unused_columns.warnings(source, rest, spec.columns, needs_time)
    return Log(
        name=name,
        user=user,
        item=item,
        user_ids=user_ids,
        item_ids=item_ids,
        timestamp=when.seconds if when else None,
        nanoseconds=when.nanoseconds if when and when.nanoseconds.any() else None,
        rating=rating,
        **weighed,
        part=None if parts is None else parts[table["user"].values.index.to_numpy()],
        title=title,
        notes=tuple(notes),
        reading=Reading(
            len(whole["user"]),
            used,
            rest,
            dropped,
            when.unit if when else "",
            events=kinds,
            items_left_out=tuple(sorted(left_out)),
        ),
    )


def find(path: Path, names: list[str], spec: DataSpec, rated: bool) -> dict[str, str]:
    """Role → column, of those that are to be read."""
    filtered = spec.min_rating is not None
    found = header.find(path, names, spec.columns, filtered, events.wanted(spec))
    has = f"it has {', '.join(names)}"
    if filtered and "rating" not in found:
        raise InputError(f"{path}: --min-rating needs ratings; name them: --columns rating=NAME; {has}")
    if spec.time_format and "timestamp" not in found:
        raise InputError(f"{path}: --time-format needs times; name them: --columns timestamp=NAME; {has}")
    events.check(path, found, spec, has)
    if not rated and not filtered and "rating" not in spec.columns:
        found.pop("rating", None)
    return found


def check_rows(path: Path, table: Roles, names: list[str]) -> None:
    """Refuse a table without rows, and a header that stands among them."""
    if not len(table["user"]):
        raise InputError(f"{path}: it has columns and no rows")
    texts = [table[role] for role in header.REQUIRED if not table[role].arrow_type()]
    again = [cells.values.str.strip("\ufeff\u200b \t").isin(names).to_numpy(dtype=bool) for cells in texts]
    both = np.flatnonzero(again[0] & again[1]) if len(again) == len(header.REQUIRED) else ()
    for at in both[:1]:
        raise table["user"].error(int(at), "the header stands here again; remove the line")


def check_left(path: Path, rows: int, least: float | None = None) -> None:
    """Refuse a table of which no row is whole, or none has a rating of `least`."""
    if rows:
        return
    if least is None:
        raise InputError(f"{path}: every row lacks a value; are the columns the right ones?")
    raise InputError(f"{path}: no rating is {least:g} or more; lower --min-rating")


def without_unreadable_times(table: Roles, spec: DataSpec) -> list[str]:
    """Take times that cannot be read out of `table`; what a reader should know then."""
    cells = table.get("timestamp")
    if cells is None:
        return []
    try:
        _refuse_missing(cells, cells.missing(), "timestamp", spec)
        times(cells, spec)
    except InputError as error:
        del table["timestamp"]
        return [f"column '{cells.column}' is left out: {cells.shareable(error)}"]
    return []


def complete(table: Roles, spec: DataSpec) -> tuple[Roles, dict[str, int]]:
    """The rows in which nothing is missing, and how many others there were, by what they lack first."""
    kept = np.ones(len(table["user"]), dtype=np.bool_)
    dropped = {}
    for role, cells in table.items():
        lacks = kept & cells.missing()
        if lacks.any():
            if not spec.drop_incomplete:
                _refuse_missing(cells, lacks, role, spec)
            dropped[f"without {SPOKEN[role]}"] = int(lacks.sum())
            kept &= ~lacks
    return ({role: cells.take(kept) for role, cells in table.items()} if dropped else table), dropped


def lists_items(spec: DataSpec) -> bool:
    """Whether items come with a table."""
    return bool(described_tables.of(spec, "item"))


def items_left_out(whole: Roles, table: Roles) -> set[str]:
    """Ids of the items in rows of `whole` that `table` lacks."""
    cells = whole["item"]
    gone = cells.take(~cells.values.index.isin(table["item"].values.index))
    gone = gone.take(~gone.missing())
    try:
        return {*ids.read(gone)[0]} if len(gone) else set()
    except InputError:  # What is left out need be no id.
        return set()


def _refuse_missing(cells: Cells, missing: npt.NDArray[np.bool_], role: str, spec: DataSpec) -> None:
    if missing.any():
        advice = "give it a value, or leave such rows out by --drop-incomplete" + _or_without(role, spec)
        raise cells.error(int(np.argmax(missing)), f"'{cells.column}' is missing; {advice}")


def _or_without(role: str, spec: DataSpec) -> str:
    """Advice for a column that was guessed and can be done without."""
    guessed = role not in header.REQUIRED and role not in spec.columns
    return f", or do without the column: --columns {role}=" if guessed else ""


def times(cells: Cells, spec: DataSpec) -> Times:
    """The moments of a column, as `spec` says how to read them; InputError as `parse.read`."""
    try:
        return parse.read(cells, spec.time_format)
    except InputError as error:
        raise InputError(f"{error}{_or_without('timestamp', spec)}") from error


def ratings(cells: Cells, spec: DataSpec) -> npt.NDArray[np.float32]:
    """float32[n]; InputError as `numbers.read`."""
    return numbers.read(cells, _or_without("rating", spec))


def with_rating(table: Roles, rating: npt.NDArray[np.float32], least: float) -> tuple[Roles, dict[str, int]]:
    """The rows with at least the rating `least`, and how many others there were."""
    kept = rating >= np.float32(least)
    low = int((~kept).sum())
    dropped = {f"with a rating below {least:g}": low} if low else {}
    return {role: cells.take(kept) for role, cells in table.items()}, dropped
