"""Lists from a file: Parquet, CSV and the like with a row an item, or a TREC run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.tables import columns as header
from retrieval_leaderboard.datasets.tables import numbers
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.datasets.tables.source_table import SourceTable, open_table
from retrieval_leaderboard.evaluation.exchange import trec
from retrieval_leaderboard.support.errors import InputError, unknown

ORDERS = {
    "rank": ("rank", "position", "pos"),
    "score": ("score", "prediction", "pred", "rating"),
    "query": ("query", "queryid", "qid"),
}
"""Role of a column beside user and item → the names it is known by, as `columns.plain` writes them"""
ROLES = ("user", "item", *ORDERS)


@dataclass(frozen=True)
class Entries:
    """Rows of a file of lists: an item in a list each."""

    user: Cells | None
    """Raw ids; None in a run whose queries go by their numbers"""
    query: Cells | None
    """Numbers of queries, from 0; None where users name them"""
    item: Cells
    """Raw ids"""
    order: npt.NDArray[np.float64]
    """float64[n]: the smaller, the earlier in its list; equal ones stand as in the file"""
    ranked: bool
    """Whether `order` is a rank, which no two entries of a list share"""


def read(path: Path, named: Mapping[str, str], by_number: bool) -> Entries:
    """The entries of a file.

    Args:
        path: of a TREC run, by its name, or of a table.
        named: role of ROLES → name of its column; the others are looked for by usual names.
        by_number: whether a TREC run names queries by their numbers, for users have several.

    Raises:
        InputError: no such file, one of another format, a column that is not there, or a missing value;
            columns named for a TREC run.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file of lists")
    if not trec.is_run(path):
        return _of_table(path, named)
    if named:
        raise InputError(f"{path}: the columns of a TREC run have fixed places; leave out --list-columns")
    return _of_run(path, by_number)


def parse_columns(text: str, where: str = "--list-columns") -> dict[str, str]:
    """Role → column of "user=NAME,item=NAME,rank=NAME"; InputError for another form or role."""
    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        role, equals, name = (each.strip() for each in part.partition("="))
        if role not in ROLES:
            raise InputError(f"{where} '{text}': {unknown('column role', role, ROLES)}")
        if not equals or not name:
            raise InputError(f"{where} '{text}': give it as user=NAME,item=NAME,rank=NAME")
        found[role] = name
    if "rank" in found and "score" in found:
        raise InputError(f"{where} '{text}': lists are in the order of the rank or of the score: name one")
    return found


def _of_run(path: Path, by_number: bool) -> Entries:
    cells = trec.read(path)
    qid = cells["qid"]
    rank, score = (numbers.read_exact(cells[name]) for name in ("rank", "score"))
    order = np.empty(len(rank))
    order[np.lexsort((rank, -score))] = np.arange(len(rank))
    user, query = (None, qid) if by_number else (qid, None)
    return Entries(user, query, cells["docno"], order, ranked=False)


def _of_table(path: Path, named: Mapping[str, str]) -> Entries:
    table = open_table(path, {role: name for role, name in named.items() if role not in ORDERS})
    roles = _columns(table, named)
    cells = {role: table.cells(column) for role, column in roles.items()}
    if not len(cells["item"]):
        raise InputError(f"{path}: it has columns and no rows")
    for each in cells.values():
        missing = each.missing()
        if missing.any():
            raise each.error(int(np.argmax(missing)), f"'{each.column}' is missing; give it a value")
    order = np.zeros(len(cells["item"]))
    for role, sign in (("rank", 1.0), ("score", -1.0)):
        if role in cells:
            order = sign * numbers.read_exact(cells[role])
            if role == "rank" and (odd := (order < 0) | (order % 1 != 0)).any():
                raise cells[role].error(int(np.argmax(odd)), "a rank is a whole number; the best item has 1")
            break
    return Entries(cells["user"], cells.get("query"), cells["item"], order, "rank" in cells)


def _columns(table: SourceTable, named: Mapping[str, str]) -> dict[str, str]:
    """Role → column, of those that are there; InputError where user or item is not.

    A rank or score that was named is the order, whatever else the table has.
    """
    found: dict[str, str] = {}
    other = {"rank": "score", "score": "rank"}
    for role, known in ORDERS.items():
        if other.get(role) in named:
            continue
        wanted = [named[role]] if role in named else [
            name for name in table.names if header.plain(name) in known and name not in named.values()
        ]  # fmt: skip
        if wanted and wanted[0] not in table.names:
            raise InputError(
                f"{table.path}: there is no column '{wanted[0]}' for the {role}; it has "
                f"{', '.join(table.names)}"
            )
        found |= {role: wanted[0]} if wanted else {}
    left_out = {"timestamp": "", "rating": ""}
    ids = {role: name for role, name in named.items() if role in header.REQUIRED}
    try:
        found |= header.find(table.path, table.names, left_out | ids)
    except InputError as error:
        raise InputError(str(error).replace("--columns", "--list-columns")) from error
    return found
