"""The compiled gradient of weighted sums of vectors."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def spread(start, stop, total, place, weight, offsets, grad):
    """Add weight[p] · grad[i] to total[place[p]], for every p of sum i whose place is in `start`..`stop` - 1.

    Threads share the vectors added to: no two write to the same one, and each sum has its terms in the
    same order whatever the number of threads.

    Args:
        start, stop: the vectors.
        total: float32[m, dim].
        place: int64[p].
        weight: float32[p].
        offsets: int64[n + 1]: sum i has the places from offsets[i] to offsets[i + 1].
        grad: float32[n, dim].
    """
    for i in range(len(offsets) - 1):
        added = grad[i]
        for p in range(offsets[i], offsets[i + 1]):
            if start <= place[p] < stop:
                row, share = total[place[p]], weight[p]
                for d in range(len(added)):
                    row[d] += share * added[d]
