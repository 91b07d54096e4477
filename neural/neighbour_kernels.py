"""The compiled gradient of weighted sums of rows."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def spread(start, stop, total, place, weight, grad):
    """Add weight[i, j] · grad[i] to total[place[i, j]] where that is one of the rows `start`..`stop` - 1.

    Threads share the rows added to: no two write to the same one, and each sum has its terms in the
    same order whatever the number of threads.

    Args:
        start, stop: the rows.
        total: float32[rows, dim].
        place: int64[n, k].
        weight: float32[n, k].
        grad: float32[n, dim].
    """
    for i in range(len(place)):
        added = grad[i]
        for j in range(place.shape[1]):
            if start <= place[i, j] < stop:
                row, share = total[place[i, j]], weight[i, j]
                for d in range(len(added)):
                    row[d] += share * added[d]
