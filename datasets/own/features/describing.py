"""Features of one's own items and users: from tables and vectors beside a log into it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Features, Vector
from retrieval_leaderboard.datasets.features.column import Column
from retrieval_leaderboard.datasets.log import Log, Reading
from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.features import (
    described_tables,
    feature_columns,
    feature_types,
    near_misses,
    vectors,
)
from retrieval_leaderboard.datasets.own.features.described_tables import DescribedTable, Ids, bare, column_of
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.prepared import rewriting
from retrieval_leaderboard.datasets.prepared.folder import identity
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import expanded

ROLES = ("item", "user")


def as_tables(own: Mapping[str, Any]) -> dict[str, Any]:
    """`own`, in which a table or its path under item_features or user_features is called items or users."""
    found = dict(own)
    for role in ROLES:
        value = found.get(f"{role}_features")
        if values.is_frame(value) or isinstance(value, Path) or (isinstance(value, str) and "=" not in value):
            if f"{role}s" in found:
                raise InputError(f"{role}_features and {role}s are both a table; give one")
            found[f"{role}s"] = found.pop(f"{role}_features")
    return found


def described(log: Log, spec: DataSpec) -> Log:
    """`log` with the features that `spec` names, or that lie beside its .inter file.

    Items that a table lists without an interaction are added: see `Log.listed`.

    Raises:
        InputError: as `described_tables.read`, `feature_columns.make` and `vectors`; a choice for a column
            that is not there; or a table that describes none of the log's items or users.
    """
    lines, notes = list[str](), list[str]()
    for role in ROLES:
        table = _table(spec, role)
        if table is not None:
            log, more = _joined(log, role, table)
            lines.append(more)
            notes += table.notes
        columns, more, warnings = _columns(role, table, getattr(spec, f"{role}_features"), _ids(log, role))
        notes += warnings
        given, beside = _vectors(role, getattr(spec, f"{role}_vectors"), spec, _ids(log, role))
        for name in set(columns) & set(given):
            raise InputError(f"--{role}-vectors {name}: there is a column of that name; choose another")
        if table is not None or given:
            parts = [more, *beside] if more else beside
            lines.append(f"{role} features: {'; '.join(parts) or 'none'}")
        if columns or given:
            found = Features(columns | given)
            log = replace(log, item_features=found) if role == "item" else replace(log, user_features=found)
    reading = log.reading or Reading(len(log.user), {})
    return replace(log, notes=(*log.notes, *notes), reading=replace(reading, features=tuple(lines)))


def said(spec: DataSpec) -> list[Any]:
    """All that decides what `described` does to a log; [] where it describes nothing."""
    found = list[Any]()
    for role in ROLES:
        types, named = getattr(spec, f"{role}_features"), getattr(spec, f"{role}_vectors")
        tables = [_content(each) for each in described_tables.of(spec, role)]
        beside = [_content_of_vectors(file) for file in named.values()]
        if tables or types or named:
            found.append((role, tables, dict(types), dict(named), beside))
    return found


def _content_of_vectors(file: str) -> Any:
    """The same of a file of vectors, and of the ids beside a .npy file."""
    path = expanded(file)
    if path.suffix.lower() == vectors.ARRAY:
        return identity(each for each in (path, vectors.ids_of(path)) if each.exists())
    return _content(file)


def _content(table: Any) -> Any:
    """What tells a table from others: the state of its files, or a digest."""
    if values.is_frame(table):
        return blake2b(pickle.dumps(table)).hexdigest()
    return identity(one.path for one in described_tables.find(table)[0])


def _table(spec: DataSpec, role: str) -> DescribedTable | None:
    given, chosen = described_tables.of(spec, role), getattr(spec, f"{role}_features")
    if not given and chosen:
        raise InputError(f"--{role}-features: there is no table of {role}s; give it by --{role}s")
    return described_tables.read(given, role, spec.columns, chosen) if given else None


def _ids(log: Log, role: str) -> Ids:
    return np.asarray(log.item_ids if role == "item" else log.user_ids, dtype=object)


def _joined(log: Log, role: str, table: DescribedTable) -> tuple[Log, str]:
    """The log with the items that a table lists besides, and how the two fit, in words."""
    known = _ids(log, role)
    both = _places(known, table.ids) >= 0
    if not both.any():
        raise _strangers(table.source.path, role, table.column, table.ids, known)
    absent, more = len(known) - int(both.sum()), int((~both).sum())
    line = f"{role}s of {table.name}: {int(both.sum()):,} are in the log"
    if more and role == "item":
        line += f", {more:,} more are listed without an interaction"
    elif more:
        line += f", {more:,} others are left out"
    line += f"; {absent:,} {role}s of the log have no row" if absent else ""
    return (_with_listed(log, table.ids), line) if role == "item" else (log, line)


def _with_listed(log: Log, listed: Ids) -> Log:
    """`log` with all items of a table, the ids in their order.

    A table that names no item but those of the log's rows, left out or not, was made of them, and lists none.
    """
    every = np.array(sorted({*log.item_ids, *listed}), dtype=object)
    is_listed = np.zeros(len(every), dtype=np.bool_)
    is_listed[_places(every, listed)] = True
    known = _ids(log, "item")
    left_out = log.reading.items_left_out if log.reading else ()
    made_of_rows = bool(left_out) and {*listed} <= {*known, *left_out}
    return replace(
        log,
        item=rewriting.looked_up(log, _places(every, known).astype(np.int32), log.item),
        item_ids=every,
        listed=None if made_of_rows else is_listed,
    )


def _columns(
    role: str, table: DescribedTable | None, chosen: Mapping[str, str], ids: Ids
) -> tuple[dict[str, Column], str, list[str]]:
    """The feature columns of a table, a row for each of `ids`, what they are, in words, and warnings."""
    if table is None:
        return {}, "", []
    types = {column_of(table.source, name, f"--{role}-features"): kind for name, kind in chosen.items()}
    place = _places(ids, table.ids)
    there = place >= 0
    found, used, unused, warnings = dict[str, Column](), list[str](), list[str](), list[str]()
    for column in table.source.names:
        if column == table.column:
            continue
        name = bare(column)
        if [bare(other) for other in table.source.names].count(name) > 1:
            raise InputError(f"{table.source.path}: two columns are called '{name}'; rename one")
        cells = table.cells(column)
        cells = cells if there.all() else cells.take(there)
        kind = feature_types.find(cells, types.get(column, ""))
        missed = None if column in types else near_misses.of(cells, kind)
        if missed:
            warnings.append(missed.warning(role, kind))
        if kind.name == feature_types.LEFT_OUT:
            unused.append(f"{name} ({missed.count if missed else kind.why or 'as chosen'})")
            continue
        found[name] = feature_columns.make(cells, kind, place[there], len(ids))
        used.append(f"{name} = {kind.name}{feature_columns.described(found[name])}")
    words = ", ".join(used) or "none"
    return found, f"{words}; not used: {', '.join(unused)}" if unused else words, warnings


def _vectors(
    role: str, given: Mapping[str, str], spec: DataSpec, ids: Ids
) -> tuple[dict[str, Column], list[str]]:
    """Name → vectors of their own files, a row for each of `ids`, and what they are, in words."""
    found, lines = dict[str, Column](), list[str]()
    for name, file in given.items():
        path = expanded(file)
        read = _of_array if path.suffix.lower() == vectors.ARRAY else _of_table
        column, theirs = read(path, name, role, spec, ids)
        there = int((~np.isnan(column.vectors[:, 0])).sum())
        line = f"{name} = vector{feature_columns.described(column)}, of {there:,} of {len(ids):,} {role}s"
        others = int((_places(ids, theirs) < 0).sum())
        lines.append(f"{line}; {others:,} of {path.name} are of others" if others else line)
        found[name] = column
    return found, lines


def _of_array(path: Path, name: str, role: str, spec: DataSpec, ids: Ids) -> tuple[Vector, Ids]:
    """The vectors of a .npy file, and the ids beside it."""
    vectors.open_array(path)  # Where it is missing, no ids beside it help.
    cells = vectors.read_ids(path)
    theirs, _ = described_tables.read_ids(cells, role)
    place = _places(ids, theirs)
    if not (place >= 0).any():
        raise _strangers(cells.path, role, "id", theirs, ids)
    return vectors.of_file(path, place, len(ids)), theirs


def _of_table(path: Path, name: str, role: str, spec: DataSpec, ids: Ids) -> tuple[Vector, Ids]:
    """The vectors of a table with ids: of the column called `name`, or the only one."""
    table = described_tables.read([str(path)], role, spec.columns, {})
    others = [column for column in table.source.names if column != table.column]
    column = others[0] if len(others) == 1 else column_of(table.source, name, f"--{role}-vectors")
    place = _places(ids, table.ids)
    there = place >= 0
    if not there.any():
        raise _strangers(path, role, table.column, table.ids, ids)
    return vectors.of_cells(table.cells(column).take(there), place[there], len(ids)), table.ids


def _places(ids: Ids, wanted: Ids) -> npt.NDArray[np.int64]:
    """int64: where each of `wanted` stands among `ids`; -1 for nowhere."""
    import pandas as pd

    return pd.Index(ids).get_indexer(pd.Index(wanted)).astype(np.int64)


def _strangers(path: Path, role: str, column: str, theirs: Ids, ids: Ids) -> InputError:
    return InputError(
        f"{path}: none of its ids, such as '{theirs[0]}', is in the log, whose {role}s are such as "
        f"'{ids[0]}'; if column '{column}' is not the {role}'s id, choose another: "
        f"--{role}-features NAME=id"
    )
