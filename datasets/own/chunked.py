"""One's own interactions that may not fit into memory: read some rows at a time, and checked as in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.log import Reading
from retrieval_leaderboard.datasets.own import events, names, opened, reader
from retrieval_leaderboard.datasets.own.clock import Clock
from retrieval_leaderboard.datasets.own.raw_ids import RawIdReader
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.tables import table_chunks, unused_columns
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.tables.files import Found
from retrieval_leaderboard.datasets.tables.source_table import (
    SourceTable,
    TableFile,
    joined,
    notes_on_quotes,
    without_index,
)
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

READ = (
    "columns", "time_format", "min_rating", "drop_incomplete", "name", "interactions", "train", "valid",
    "test",
)  # fmt: skip
"""Fields of a `DataSpec` that decide what is read"""
SHARE, SMALLEST, LARGEST = 64, 2**20, 2**25
"""Of the limit that a block of text takes, which comes to some ten times of it; and its bytes"""


def log(spec: DataSpec, memory: int, *, timed: bool, rated: bool) -> tuple[ChunkedLog, list[Path]]:
    """A log to be read in at most `memory` bytes, and its files; `timed` and `rated` as for `reader.read`.

    Raises:
        InputError: a table that is in memory already, or no file where `spec` says.
    """
    tables, notes = opened.find(spec)
    if any(not table.files for table in tables):
        raise InputError("a pandas table is in memory already; leave memory out")
    found = [(table.part, one) for table in tables for one in table.files]
    size = min(max(memory // SHARE, SMALLEST), LARGEST)
    name, title = names.of(spec)
    reading = _Rows(spec, found, size, timed, rated)
    return ChunkedLog(
        name, reading.chunks, title=title, notes=tuple(notes), reading=lambda: reading.reading()
    ), [one.path for _, one in found]


def in_parts(spec: DataSpec) -> bool:
    """Whether all its tables can be read some rows at a time."""
    found, _ = opened.find(spec)
    return all(each.files and all(table_chunks.in_parts(one.path) for one in each.files) for each in found)


def said(spec: DataSpec) -> tuple[Any, ...]:
    """What of `spec` decides what is read, or is refused when it is."""
    given = {name: getattr(spec, name) for name in READ}
    return given, bool(spec.events), bool(spec.target), reader.lists_items(spec)


class _Rows:
    """The rows of all files, and what is found while they are read."""

    def __init__(
        self, spec: DataSpec, found: list[tuple[int, Found]], size: int, timed: bool, rated: bool
    ) -> None:
        self._spec, self._found, self._size, self._timed, self._rated = spec, found, size, timed, rated
        self._listed = reader.lists_items(spec)
        self._start()

    def _start(self) -> None:
        self._first: TableFile | None = None
        self._roles: dict[str, str] = {}
        self._rows = self._left = self._whole = 0
        self._dropped: Counter[str] = Counter()
        self._left_out: set[str] = set()
        self._unread: list[str] = []
        self._quoted_lines: Counter[Path] = Counter()
        self._clock, self._ids = (
            Clock(self._spec),
            {role: RawIdReader() for role in ("user", "item", "event")},
        )
        self._events: dict[str, int] = {}
        self._labels: dict[str, set[int | None]] = {}
        self._kinds: dict[str, set[str]] = {}
        self._times: list[str] = []

    def chunks(self) -> Iterator[Chunk]:
        """All rows, as `ChunkedLog.chunks`."""
        self._start()
        for part, found in self._found:
            for table in table_chunks.chunks(
                found, self._spec.columns, self._size, alone=len(self._found) == 1
            ):
                if len(table.index()):
                    yield self._chunk(table, part)
                elif self._first is None and len(self._found) == 1:
                    self._first = table
        path = self._found[0][1].path
        if not self._rows:
            raise InputError(f"{path}: it has columns and no rows")
        reader.check_left(path, self._whole)
        reader.check_left(path, self._left, self._spec.min_rating)

    def reading(self) -> Reading:
        """How they were read, once all were."""
        assert self._first is not None
        rest = tuple(name for name in self._first.names if name not in self._roles.values())
        notes = [
            *notes_on_quotes([(found.path, self._quoted_lines[found.path]) for _, found in self._found]),
            *self._unread,
            *self._ids["user"].notes(),
            *self._ids["item"].notes(),
            *self._ids["event"].notes(),
            *(self._clock.warnings if "timestamp" in self._roles else ()),
            *filter(None, map(self._warning, rest)),
        ]
        return Reading(
            self._rows,
            self._roles,
            rest,
            dict(self._dropped),
            self._clock.form if "timestamp" in self._roles else "",
            notes=tuple(notes),
            events=tuple(self._events),
            items_left_out=tuple(sorted(self._left_out)),
        )

    def _warning(self, name: str) -> str:
        """What is said of a column that is not used and looks like one that has to be; else ""."""
        given, kinds = self._spec.columns, self._kinds.get(name, set())
        if name in self._times:
            return unused_columns.of_time(name, given)
        if self._labels.get(name) == {0, 1}:
            return unused_columns.of_label(name, given)
        if 2 <= len(kinds) <= unused_columns.MOST_KINDS:
            return unused_columns.of_kinds(name, sorted(kinds), given)
        return ""

    def _chunk(self, file: TableFile, part: int) -> Chunk:
        file = without_index(file, self._spec.columns.values())
        source = SourceTable((file,), file.names)
        if self._first is None or not self._roles:
            self._roles = reader.find(file.path, file.names, self._spec, self._rated)
        if self._first is not None:
            joined([self._first, file])  # Refuses files of other columns.
        table = {role: source.cells(column) for role, column in self._roles.items()}
        reader.check_rows(file.path, table, file.names)
        needless = not self._timed and "timestamp" not in self._spec.columns
        if needless and "timestamp" in table:
            if self._first is None:
                cells = table["timestamp"]
                self._unread = reader.without_unreadable_times(table, self._spec)
                if self._unread:
                    _refuse_dates(cells, self._spec)
                self._roles = {role: cells.column for role, cells in table.items()}
            else:
                _refuse_gaps(table["timestamp"])
        self._look(source)
        # Of the first rows themselves nothing is kept.
        self._first = self._first or TableFile(file.path, file.names, _gone, _gone, optional=file.optional)
        self._quoted_lines[file.path] += file.quoted_lines
        self._rows += len(table["user"])
        whole = table
        table, dropped = reader.complete(table, self._spec)
        self._dropped.update(dropped)
        self._whole += len(table["user"])
        rating = reader.ratings(table["rating"], self._spec) if "rating" in table else None
        if rating is not None and self._spec.min_rating is not None:
            table, low = reader.with_rating(table, rating, self._spec.min_rating)
            self._dropped.update(low)
            rating = None
        rows = len(table["user"])
        self._left += rows
        if self._listed and rows < len(whole["user"]):
            self._left_out |= reader.items_left_out(whole, table)
        timed = "timestamp" in table
        if timed and needless and rows < len(whole["user"]):
            # In memory a time that cannot be read counts in rows that are left out, too.
            copy(self._clock).read(whole["timestamp"])
        when = self._clock.read(table["timestamp"]) if timed and rows else None
        empty = np.empty(0, np.int64)
        return Chunk(
            user=self._ids["user"].read(table["user"]) if rows else _none(),
            item=self._ids["item"].read(table["item"]) if rows else _none(),
            timestamp=when.seconds if when else empty if timed else None,
            nanoseconds=when.nanoseconds if when else empty.astype(np.int32) if timed else None,
            rating=rating,
            weight=events.weights(table["weight"]) if "weight" in table else None,
            event=self._event(table["event"]) if "event" in table else None,
            part=np.full(rows, part, np.uint8) if self._spec.is_split else None,
        )

    def _event(self, cells: Cells) -> npt.NDArray[np.uint8]:
        """The place of each row's event among those found so far."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not len(cells):
            return np.empty(0, np.uint8)
        text = self._ids["event"].read(cells)
        for name in pc.unique(text).to_pylist():
            self._events.setdefault(name, len(self._events))
        events.check_kinds(cells, len(self._events))
        return pc.index_in(text, pa.array(list(self._events), text.type)).to_numpy().astype(np.uint8)

    def _look(self, source: SourceTable) -> None:
        """See whether a column that is not used looks like one that has to be."""
        rest = [name for name in source.names if name not in self._roles.values()]
        rest = [name for name in rest if source.names.count(name) == 1 and name not in source.nested]
        if self._first is None:
            rest = [name for name in rest if not source.cells(name).is_nested]
            needs = "timestamp" not in {*self._roles, *self._spec.columns} and not self._unread
            self._times = [name for name in rest if needs and unused_columns.is_time(source.cells(name))]
            self._labels = {name: set() for name in rest}
            self._kinds = {name: set() for name in filter(unused_columns.is_event, rest)}
        for name, found in self._labels.items():
            if None not in found:
                found |= unused_columns.labels(source.column(name))
        for name, kinds in self._kinds.items():
            if len(kinds) <= unused_columns.MOST_KINDS:
                kinds |= unused_columns.values(source.cells(name))


def _refuse_gaps(times: Cells) -> None:
    """In memory the whole column would be left out, yet here rows above were read with it."""
    missing = times.missing()
    if missing.any():
        name = times.column
        raise times.error(
            int(np.argmax(missing)),
            f"'{name}' is missing, and rows above have it; say whether it is used: "
            f"--columns timestamp={name}, or --columns timestamp= to do without",
        )


def _refuse_dates(times: Cells, spec: DataSpec) -> None:
    """In memory the rows below decide, too, whether numbers are dates written in digits."""
    try:
        reader.times(times, replace(spec, time_format="s"))
    except InputError:
        return
    name = times.column
    raise times.error(
        0,
        f"'{name}' may hold dates written in digits, by the first rows; say whether it is used: "
        f"--columns timestamp={name} with --time-format, or --columns timestamp= to do without",
    )


def _gone(*_: object) -> NoReturn:
    raise AssertionError("rows that were read")


def _none() -> pa.Array:
    import pyarrow as pa

    return pa.array([], pa.large_string())
