"""Neighbor lists of fewer neighbors: what a service could keep of an item-to-item model."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from retrieval_leaderboard.evaluation.models.bases import ItemToItemRetriever

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LENGTHS = (10, 20, 50)
"""Neighbors that are kept, before all"""


def lengths(similarity: csr_array) -> Iterator[int]:
    """Those of LENGTHS that cut the longest list of csr[items, items], and its own length."""
    longest = int(np.diff(similarity.indptr).max(initial=0))
    yield from (length for length in LENGTHS if length < longest)
    yield longest


def shortened(model: ItemToItemRetriever, length: int) -> ItemToItemRetriever:
    """The model with at most `length` neighbors for each item of a history."""
    short = copy(model)
    short.similarity_ = cut(model.similarity_, length)
    return short


def cut(similarity: csr_array, length: int) -> csr_array:
    """The `length` largest in size of each row of float32[items, items]; of equals, the first.

    Returns:
        float32[items, items], its columns in the order in which they stood.
    """
    counts = np.diff(similarity.indptr)
    row = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((-np.abs(similarity.data), row))
    place = np.arange(len(row)) - np.repeat(similarity.indptr[:-1], counts)  # within its row, largest first
    kept = np.sort(order[place < length])
    offsets = np.zeros_like(similarity.indptr)
    np.cumsum(np.minimum(counts, length), out=offsets[1:])
    parts = similarity.data[kept], similarity.indices[kept], offsets
    return type(similarity)(parts, shape=similarity.shape)


def n_bytes(similarity: csr_array) -> int:
    """Bytes of the lists."""
    return similarity.data.nbytes + similarity.indices.nbytes + similarity.indptr.nbytes
