"""Items by how often they were taken, and lists that end in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties, topk


def ranked(counts: npt.NDArray[Any], train: Interactions) -> npt.NDArray[np.int32]:
    """int32[m]: the items that anyone took, by `counts` [n_items], largest first; ties by `ties.rank`."""
    return by_count(counts, train.item_counts)


def by_count(counts: npt.NDArray[Any], takers: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """As `ranked`, given how many took each item, `takers` [n_items]."""
    order = np.lexsort((ties.rank(np.arange(len(counts))), -counts)).astype(np.int32)
    return order[takers[order] > 0]


def filled(lists: topk.TopK, order: npt.NDArray[np.int32], exclude: Ragged) -> topk.TopK:
    """`lists` whose empty places hold the first items of `order` that are neither listed nor excluded.

    Their scores fall by 1 from place to place, below 0 and all others of the list.

    Args:
        lists: as of `topk.summed`; changed in place.
        order: int32[m], items, best first.
        exclude: q rows of items not to return.
    """
    items, scores = lists
    short = np.flatnonzero((items < 0).any(axis=1))
    if not len(short):
        return lists
    listed = (items[short] >= 0).sum(axis=1)
    taken = [
        np.concatenate([exclude[int(row)], items[row, :n]]) for row, n in zip(short, listed, strict=True)
    ]
    k = items.shape[1]
    found, _ = topk.first_allowed(order, np.zeros(len(order), np.float32), Ragged.from_rows(taken), k)
    place = np.arange(k) - listed[:, None]  # (short, k), 0 at the first empty place
    added = np.where(place < 0, items[short], np.take_along_axis(found, np.maximum(place, 0), axis=1))
    lowest = np.where(np.isfinite(scores[short]), scores[short], 0).min(axis=1, keepdims=True, initial=0)
    below = np.where(added < 0, -np.inf, lowest - 1 - place).astype(np.float32)
    items[short], scores[short] = added, np.where(place < 0, scores[short], below)
    return lists
