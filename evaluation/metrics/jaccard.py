"""Compiled: Jaccard distances of sets of codes, over all pairs of a list."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True, nogil=True)
def _common(codes, a, a_stop, b, b_stop):
    """How many codes two ascending rows share."""
    common = 0
    while a < a_stop and b < b_stop:
        if codes[a] == codes[b]:
            common += 1
            a += 1
            b += 1
        elif codes[a] < codes[b]:
            a += 1
        else:
            b += 1
    return common


@njit(cache=True, nogil=True)
def _mean_distance(row, codes, offsets):
    total, pairs = 0.0, 0
    for i in range(len(row)):
        a, a_stop = offsets[row[i]], offsets[row[i] + 1]
        for j in range(i):
            b, b_stop = offsets[row[j]], offsets[row[j] + 1]
            if a < a_stop and b < b_stop:
                common = _common(codes, a, a_stop, b, b_stop)
                total += 1 - common / (a_stop - a + b_stop - b - common)
                pairs += 1
    return total / pairs if pairs else np.nan


@njit(cache=True, nogil=True)
def mean_distances(
    items: npt.NDArray[np.int32], codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """float64[q]: the mean Jaccard distance of two items of a list, of the pairs whose items both have codes.

    Args:
        items: int32[q, k], -1 for an empty position.
        codes: int32[total], of each item in ascending order.
        offsets: int64[n_items + 1]: item i has `codes[offsets[i]:offsets[i + 1]]`.

    Returns:
        NaN for a list without such a pair.
    """
    found = np.empty(len(items))
    for query in range(len(items)):
        row = items[query]
        found[query] = _mean_distance(row[row >= 0], codes, offsets)
    return found
