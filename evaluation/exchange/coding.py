"""Entries of a file as lists of item codes that answer a dataset's test queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard import PREFIX
from retrieval_leaderboard.datasets.dataset import Dataset, RawIds
from retrieval_leaderboard.datasets.tables import ids, numbers
from retrieval_leaderboard.datasets.tables.cells import Cells
from retrieval_leaderboard.evaluation.exchange.reading import Entries
from retrieval_leaderboard.support.errors import InputError

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lists:
    """Lists that answer test queries, and what is missing in them."""

    items: npt.NDArray[np.int32]
    """int32[q, k], -1 for an item that the catalog lacks and for none"""
    unanswered: int
    """Queries without a list"""
    listed: int
    """Items of the first k of all lists"""
    unknown: int
    """Those of them that the catalog lacks"""


def several_queries(dataset: Dataset) -> bool:
    """Whether a user has more than one test query."""
    users = dataset.test.user
    return len(np.unique(users)) < len(users)


def coded(entries: Entries, dataset: Dataset, k: int) -> Lists:
    """The first `k` items of each list.

    A query without a list has an empty one, and lists of users who are asked nothing are left out, as by
    `harness.evaluate_lists`.

    Raises:
        InputError: with file and line: a user whom the dataset lacks, a number that no query has, an item or
            rank twice in a list, an excluded item; or no item at all that the catalog has.
    """
    query = _queries(entries, dataset)
    item, raw_item = _items(entries.item, dataset)
    order = np.lexsort((entries.order, query))
    order = order[query[order] >= 0]
    if entries.ranked:
        _refuse_twice(entries, order, (entries.order[order], query[order]), "rank")
    first = np.searchsorted(query[order], query[order])
    position = np.arange(len(order)) - first
    shown, position = order[position < k], position[position < k]
    _refuse_twice(entries, order, (raw_item[order], query[order]), "item")
    found = np.full((len(dataset.test), k), -1, dtype=np.int32)
    found[query[shown], position] = item[shown]
    excluded = dataset.test.exclude.contains(found)[query[shown], position]
    if excluded.any():
        at = int(shown[excluded].min())
        raise entries.item.error(
            at, f"'{entries.item.shown(at)}' may not be in this list: its user has it already; leave it out"
        )
    unanswered = len(found) - len(np.unique(query[shown]))
    return Lists(found, unanswered, len(shown), int((item[shown] < 0).sum()))


def _queries(entries: Entries, dataset: Dataset) -> Codes:
    """int64[n]: the test query of each entry; -1 for one of a user who is asked nothing."""
    if entries.query is not None:
        found = _numbered(entries.query, len(dataset.test))
        if entries.user is not None:
            wrong = _users(entries.user, dataset) != dataset.test.user[found]
            if wrong.any():
                at = int(np.argmax(wrong))
                owner = dataset.user_ids[dataset.test.user[found[at]]]
                raise entries.user.wrong(at, f"has not query {found[at]}, which is that of '{owner}'")
        return found
    assert entries.user is not None
    if several_queries(dataset):
        raise InputError(
            f"{entries.user.path}: a user has several test queries here; add a column 'query' with their "
            f"numbers, as `python -m {PREFIX}evaluation lists` writes them"
        )
    of_user = np.full(len(dataset.user_ids), -1, dtype=np.int64)
    of_user[dataset.test.user] = np.arange(len(dataset.test))
    return of_user[_users(entries.user, dataset)]


def _numbered(cells: Cells, queries: int) -> Codes:
    number = numbers.read_exact(cells)
    wrong = (number < 0) | (number >= queries) | (number != np.floor(number))
    if wrong.any():
        raise cells.wrong(int(np.argmax(wrong)), f"is no query's number; they go from 0 to {queries - 1}")
    return number.astype(np.int64)


def _users(cells: Cells, dataset: Dataset) -> Codes:
    code, _ = _codes(cells, dataset.user_ids)
    if (code < 0).any():
        raise cells.wrong(
            int(np.argmax(code < 0)), f"is no user of {dataset.name}; give raw ids, as its files"
        )
    return code


def _items(cells: Cells, dataset: Dataset) -> tuple[Codes, Codes]:
    """The code of each item, -1 for one that the catalog lacks, and a code of its raw id."""
    code, raw = _codes(cells, dataset.item_ids)
    if (code < 0).all():
        raise cells.wrong(
            0, f"is not in the catalog of {dataset.name}, and no other is; it has '{dataset.item_ids[0]}'"
        )
    return code, raw


def _codes(cells: Cells, known: RawIds) -> tuple[Codes, Codes]:
    """The place of each value in `known`, -1 for one that is not there, and a number of its text."""
    code_of = {str(raw): code for code, raw in enumerate(known)}
    texts, raw, _ = ids.read(cells)
    return np.array([code_of.get(text, -1) for text in texts], dtype=np.int64)[raw], raw.astype(np.int64)


def _refuse_twice(entries: Entries, rows: Codes, keys: tuple[npt.NDArray, Codes], what: str) -> None:
    """Refuse two of `rows` that are the same by `keys`, naming the later."""
    by = np.lexsort((rows, *keys))
    value, query = (key[by] for key in keys)
    twice = (value[1:] == value[:-1]) & (query[1:] == query[:-1])
    if twice.any():
        at = int(rows[by][1:][twice].min())
        shown = f"item '{entries.item.shown(at)}'" if what == "item" else f"rank {entries.order[at]:g}"
        raise entries.item.error(at, f"{shown} stands twice in this list; leave it in once")
