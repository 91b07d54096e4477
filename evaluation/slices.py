"""The same metrics over parts of the queries, or parts of the truth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from datasets.dataset import Interactions, Queries
from datasets.ragged import Ragged, offsets_of
from evaluation.metrics import mean, per_query

HISTORY_SLICES = (("0", 0, 0), ("1–2", 1, 2), ("3–9", 3, 9), ("10+", 10, None))
HEAD_SHARE = 0.2

Slice = dict[str, float | int | str]


def slices(items: npt.NDArray[np.int32], queries: Queries, train: Interactions, k: int) -> list[Slice]:
    """Metrics by length of history and by popularity of the true item.

    A history slice takes the queries with that many items in their history. An item slice keeps,
    of every query's truth, only the items of its kind: head (the 20 % of the catalogue with most
    training interactions), tail (the rest of those with any) and cold (none); the lists stay.

    Returns:
        One dict a slice: "slice", "queries" (with at least one relevant item), and each metric.
    """
    found = []
    for label, rows, relevant in _parts(queries, train):
        selected = relevant.take(rows)
        answered = int((selected.lengths > 0).sum())
        entry: Slice = {"slice": label, "queries": answered}
        if answered:
            entry |= mean(per_query(items[rows], selected, k))
        found.append(entry)
    return found


def _parts(queries: Queries, train: Interactions) -> Iterator[tuple[str, npt.NDArray[np.int64], Ragged]]:
    lengths = queries.history.lengths
    for label, low, high in HISTORY_SLICES:
        inside = (lengths >= low) & (lengths <= (high if high is not None else np.inf))
        yield f"history {label}", np.flatnonzero(inside), queries.relevant
    for label, members in item_groups(train.item_counts).items():
        rows = keep_items(queries.relevant, members)
        yield f"{label} items", np.arange(len(queries)), rows


def item_groups(counts: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.bool_]]:
    """Head, tail and cold items by training count; each bool[n_items]. Ties go by item code."""
    n_head = round(HEAD_SHARE * len(counts))
    head = np.zeros(len(counts), dtype=np.bool_)
    head[np.argsort(-counts, kind="stable")[:n_head]] = True
    head &= counts > 0
    return {"head": head, "tail": ~head & (counts > 0), "cold": counts == 0}


def keep_items(rows: Ragged, members: npt.NDArray[np.bool_]) -> Ragged:
    """The rows without the items outside `members` (bool[n_items])."""
    values, _ = rows.compact()
    kept = members[values]
    lengths = np.bincount(rows.rows()[kept], minlength=len(rows))
    return Ragged.from_offsets(values[kept], offsets_of(lengths))
