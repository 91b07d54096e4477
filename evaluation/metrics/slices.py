"""The same metrics over parts of the queries, or parts of the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics.measure import mean, per_query

COLD_USERS, COLD_ITEMS = "cold users", "cold items"
HISTORY_SLICES = ((COLD_USERS, 0, 0), ("history 1–2", 1, 2), ("history 3–9", 3, 9), ("history 10+", 10, None))
HEAD_SHARE = 0.2


@dataclass(frozen=True)
class Slice:
    """Metrics of a part of the queries, or of their truth."""

    slice: str
    queries: int
    """With at least one relevant item"""
    metrics: dict[str, float] = field(default_factory=dict)
    """{} without such a query"""
    listed: int | None = None
    """Queries that were given at least one item; None where that is not known"""
    random_recall: float | None = None
    """The expected recall of a random ranking; None where that is not known"""


def slices(items: npt.NDArray[np.int32], queries: Queries, train: Interactions, k: int) -> list[Slice]:
    """Metrics of the warm part, by length of history, and by popularity of the true item.

    A history slice takes the queries with that many items in their history; those with none come
    from cold users. An item slice keeps, of every query's truth, only the items of its kind: head
    (of those with training interactions the 20 % with most), tail (the rest of these) and cold
    (none); the lists stay. The warm slice takes the queries with a history and
    keeps the truth with training interactions.

    Returns:
        One a slice, with every per-query metric.
    """
    by_chance = _random_recall(queries, train.n_items, k)
    found = []
    for label, rows, relevant in _parts(queries, train):
        rows = rows[relevant.lengths[rows] > 0]
        if not len(rows):
            found.append(Slice(label, 0))
            continue
        metrics = mean(per_query(items[rows], relevant.take(rows), k))
        listed = int((items[rows] >= 0).any(axis=1).sum())
        found.append(Slice(label, len(rows), metrics, listed, float(by_chance[rows].mean())))
    return found


def _random_recall(queries: Queries, n_items: int, k: int) -> npt.NDArray[np.float64]:
    """float64[q]: the chance that a true item is among the first k of a random order of all allowed items.

    A query may be answered with the c items outside its `exclude`; each stands at each of the
    c positions with the same chance, so it is among the first k with min(k, c) / c, and by linearity
    that is the expected recall, however many items are relevant.
    """
    candidates = np.empty(len(queries), dtype=np.int64)
    for rows in queries.exclude.cuts():
        excluded = queries.exclude.take(rows)
        row = excluded.rows()
        pairs = np.sort(row * n_items + excluded.compact()[0])  # `row` is in order before and after
        # np.unique hashes int64 keys, which takes a hundred times as long.
        first = np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]
        candidates[rows] = n_items - np.bincount(row[first], minlength=len(excluded))
    return np.minimum(k, candidates) / np.maximum(candidates, 1)


def _parts(queries: Queries, train: Interactions) -> Iterator[tuple[str, npt.NDArray[np.int64], Ragged]]:
    lengths = queries.history.lengths
    warm = queries.relevant.only(train.item_counts > 0)
    yield "warm", np.flatnonzero(lengths > 0), warm
    for label, low, high in HISTORY_SLICES:
        inside = (lengths >= low) & (lengths <= (high if high is not None else np.inf))
        yield label, np.flatnonzero(inside), queries.relevant
    for label, members in item_groups(train.item_counts).items():
        yield f"{label} items", np.arange(len(queries)), queries.relevant.only(members)


def item_groups(counts: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.bool_]]:
    """Head, tail and cold items by training count; each bool[n_items]. Ties go by item code."""
    n_head = round(HEAD_SHARE * int((counts > 0).sum()))
    head = np.zeros(len(counts), dtype=np.bool_)
    head[np.argsort(-counts, kind="stable")[:n_head]] = True
    return {"head": head, "tail": ~head & (counts > 0), "cold": counts == 0}
