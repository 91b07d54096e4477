"""Tables of items or users of one's own: a row for each, with an id and features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.own import opening
from retrieval_leaderboard.datasets.tables import columns as header
from retrieval_leaderboard.datasets.tables import ids
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.tables.source_table import SourceTable
from retrieval_leaderboard.support.errors import InputError

ID = "id"
"""The type of the column of ids, where one is chosen"""
PLAIN_ID = "id"
"""What such a column may be called, beside the names of `columns.NAMES`"""
BESIDE = {"item": ".item", "user": ".user"}
"""role → suffix of RecBole's file beside an .inter"""

Given = str | SourceTable


@dataclass(frozen=True)
class DescribedTable:
    """A table whose rows are known by their ids."""

    source: SourceTable
    column: str
    """Of the ids"""
    ids: npt.NDArray[np.object_]
    """object[n]: the raw id (str) of each row, none twice"""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the file."""
        return self.source.path.name

    def cells(self, column: str) -> Cells:
        """A column, a value for each of `ids`."""
        return Cells(self.source.path, column, self.source.column(column))


def given(value: Any, where: str) -> Given:
    """A path, or the table of a DataFrame; "" for none.

    Raises:
        InputError: something else; `where` it stands comes first.
    """
    if isinstance(value, SourceTable):
        return value
    if isinstance(value, str | Path):
        return str(value)
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return opening.of_frame(value, where)
    raise InputError(f"{where}: {type(value).__name__} is no table; give a file or a DataFrame")


def read(source: SourceTable, role: str, named: Mapping[str, str], chosen: Mapping[str, str]) -> DescribedTable:
    """The ids of a table of items or users.

    Args:
        source: the table.
        role: "item" or "user".
        named: role → its column in the log, which is looked for first.
        chosen: column → type; one of type id has the ids.

    Raises:
        InputError: no column for them, a missing id, one that is none, or one that stands twice (the line).
    """
    column = _id_column(source, role, named, chosen)
    cells = source.cells(column)
    if not len(cells):
        raise InputError(f"{source.path}: the file has a header and no rows")
    missing = cells.missing()
    if missing.any():
        raise cells.error(int(np.argmax(missing)), f"'{column}' is missing; give the {role} its id, or leave the row out")
    known, codes, notes = ids.read(cells)
    _refuse_repeated(cells, codes, role)
    return DescribedTable(source, column, known[codes], notes)


def _refuse_repeated(cells: Cells, codes: npt.NDArray[np.int32], role: str) -> None:
    order = np.argsort(codes, kind="stable")
    again = order[1:][np.diff(codes[order]) == 0]
    if len(again):
        at = int(again.min())
        first = cells.place(int(np.argmax(codes == codes[at])))
        raise cells.error(at, f"{role} '{cells.shown(at)}' stands on {first} already; leave one of them out")


def _id_column(source: SourceTable, role: str, named: Mapping[str, str], chosen: Mapping[str, str]) -> str:
    by_choice = [column for column, kind in chosen.items() if kind == ID]
    if len(by_choice) > 1:
        raise InputError(f"{source.path}: {' and '.join(by_choice)} cannot both be the {role}'s id; choose one")
    if by_choice:
        return find_column(source, by_choice[0])
    own = named.get(role, "")
    if own in source.names:
        return own
    plain = {header.plain(name): name for name in reversed(source.names)}
    for name in (header.plain(own), *header.NAMES[role], PLAIN_ID):
        if name and name in plain:
            return plain[name]
    has = ", ".join(source.names)
    raise InputError(
        f"{source.path}: no column for the {role}'s id; it has {has}; choose it: --{role}-features NAME=id"
    )


def find_column(source: SourceTable, name: str) -> str:
    """The column called `name`, with or without RecBole's type.

    Raises:
        InputError: there is none.
    """
    for column in source.names:
        if name in (column, bare(column)):
            return column
    raise InputError(f"{source.path}: there is no column '{name}'; it has {', '.join(source.names)}")


def bare(column: str) -> str:
    """A column's name without RecBole's type, such as `:token`."""
    return column.split(":")[0]
