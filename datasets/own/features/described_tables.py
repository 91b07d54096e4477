"""Tables of items or users of one's own: a row for each, with an id and features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.own import values
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.datasets.tables import columns as header
from retrieval_leaderboard.datasets.tables import files, ids, packed
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.tables.files import Found
from retrieval_leaderboard.datasets.tables.source_table import (
    SourceTable,
    joined,
    of_frame,
    open_files,
    without_index,
)
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import expanded

ID = "id"
"""The type of the column of ids, where one is chosen; also what such a column may be called"""

Ids = npt.NDArray[np.object_]
"""object[n]: raw ids (str)"""


@dataclass(frozen=True)
class DescribedTable:
    """A table whose rows are known by their ids."""

    source: SourceTable
    column: str
    """Of the ids"""
    ids: Ids
    """The id of each row, none twice"""
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the file."""
        return self.source.path.name

    def cells(self, column: str) -> Cells:
        """A column, a value for each of `ids`; lists that are text are their JSON."""
        return Cells(self.source.path, column, self.source.column(column), self.source.places)


def read(
    given: Sequence[Any], role: str, named: Mapping[str, str], chosen: Mapping[str, str]
) -> DescribedTable:
    """The table of items or users in files or pandas tables whose rows follow one another.

    Args:
        given: paths of files, folders or patterns, or pandas tables.
        role: "item" or "user".
        named: role → its column in the log, which is looked for first.
        chosen: column → type; one of type id has the ids.

    Raises:
        InputError: no such file, one that cannot be read, no column of ids, a missing id, one that is none,
            or one that stands twice (file and line).
    """
    opened, notes = [], list[str]()
    for each in given:
        if values.is_frame(each):
            opened.append(of_frame(each))
            continue
        found, more = find(each)
        opened += open_files(found, named)
        notes += more
    known = {*named.values(), *chosen}
    source = joined([without_index(each, known) for each in opened], tuple(notes))
    column = _id_column(source, role, named, chosen)
    if source.names.count(column) > 1:
        raise InputError(f"{source.path}: two columns are called '{column}'; rename one")
    cells = source.cells(column)
    if not len(cells):
        raise InputError(f"{source.path}: the file has a header and no rows")
    found_ids, of_ids = read_ids(cells, role)
    return DescribedTable(source, column, found_ids, (*source.notes, *of_ids))


def read_ids(cells: Cells, role: str) -> tuple[Ids, tuple[str, ...]]:
    """The id of each row, as a log's are read, and what a reader should know.

    Raises:
        InputError: a missing id, one that is none, or one that stands twice (file and line).
    """
    missing = cells.missing()
    if missing.any():
        advice = f"give the {role} its id, or leave the row out"
        raise cells.error(int(np.argmax(missing)), f"'{cells.column}' is missing; {advice}")
    known, codes, notes = ids.read(cells)
    order = np.argsort(codes, kind="stable")
    again = order[1:][np.diff(codes[order]) == 0]
    if len(again):
        at = int(again.min())
        first = cells.place(int(np.argmax(codes == codes[at])))
        raise cells.error(at, f"{role} '{cells.shown(at)}' stands in {first} already; leave one of them out")
    return known[codes], notes


def of(spec: DataSpec, role: str) -> Sequence[Any]:
    """The tables of items or users that are named, or lie beside the log."""
    return getattr(spec, f"{role}s") or beside(spec.train or spec.interactions, role)


def beside(given: Sequence[Any], role: str) -> list[str]:
    """RecBole's file of items or users beside a log's .inter: of the same name, and at most one."""
    for path in (each.path for one in given if not values.is_frame(one) for each in files.find(one)[0]):
        if packed.kind(path) == ".inter":
            stem = packed.stem(path)
            for name in (stem, stem.partition(".")[0]):
                found = path.with_name(f"{name}.{role}")
                if found.is_file():
                    return [str(found)]
    return []


def column_of(source: SourceTable, name: str, option: str) -> str:
    """The column called `name`, with or without RecBole's type.

    Raises:
        InputError: there is none; the sentence begins with the `option` that names it.
    """
    for column in source.names:
        if name in (column, bare(column)):
            return column
    has = ", ".join(source.names)
    raise InputError(f"{option} {name}: {source.path}: there is no column '{name}'; it has {has}")


def bare(column: str) -> str:
    """A column's name without RecBole's type, such as `:token`."""
    return column.split(":")[0]


def find(given: str) -> tuple[list[Found], tuple[str, ...]]:
    """The files of one of the paths that `read` takes, and notes; InputError as `files.find`."""
    path = expanded(given)
    if packed.kind(path) in files.DESCRIBED and path.is_file():
        return [Found(path)], ()
    return files.find(path)


def _id_column(source: SourceTable, role: str, named: Mapping[str, str], chosen: Mapping[str, str]) -> str:
    by_choice = [column for column, kind in chosen.items() if kind == ID]
    if len(by_choice) > 1:
        raise InputError(
            f"{source.path}: {' and '.join(by_choice)} cannot both be the {role}'s id; choose one"
        )
    if by_choice:
        return column_of(source, by_choice[0], f"--{role}-features")
    own = named.get(role, "")
    if own in source.names:
        return own
    plain = {header.plain(name): name for name in reversed(source.names)}
    for name in (header.plain(own), *header.NAMES[role], ID):
        if name and name in plain:
            return plain[name]
    raise InputError(
        f"{source.path}: no column for the {role}'s id; it has {', '.join(source.names)}; choose it: "
        f"--{role}-features NAME=id"
    )
