"""The inverse of a large symmetric positive definite matrix, in place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from retrieval_leaderboard.evaluation.engines.local import in_threads
from retrieval_leaderboard.support import progress

BLOCK = 512


def invert(matrix: npt.NDArray[np.float32], label: str) -> None:
    """Replace `matrix`, float32[n, n], symmetric and positive definite, by its inverse.

    The sweep operator by blocks (Goodnight, A tutorial on the SWEEP operator, The American Statistician 1979)
    on the lower triangle. Threads share the rows, each with a BLAS of one thread: the result does not depend
    on their number.
    """
    n = len(matrix)
    starts = range(0, n, BLOCK)
    with threadpool_limits(1, user_api="blas"), progress.bar(label, len(starts), "blocks") as advance:
        for start in starts:
            _sweep(matrix, start, min(start + BLOCK, n))
            advance()
    for start in starts:
        stop = min(start + BLOCK, n)
        corner = np.tril(matrix[start:stop, start:stop])
        matrix[start:stop, start:stop] = corner + np.tril(corner, -1).T
        matrix[start:stop, stop:] = matrix[stop:, start:stop].T
        np.negative(matrix[start:stop], out=matrix[start:stop])


def _sweep(matrix: npt.NDArray[np.float32], start: int, stop: int) -> None:
    """Sweep the pivots `start`..`stop` - 1 of the lower triangle."""
    corner = matrix[start:stop, start:stop].astype(np.float64)
    pivot = np.linalg.inv(np.tril(corner) + np.tril(corner, -1).T)
    panel = np.concatenate([matrix[start:stop, :start].T, matrix[start:, start:stop]])  # (n, b)
    row = np.ascontiguousarray((panel @ pivot.astype(np.float32)).T)  # (b, n)

    def work(first: int, last: int) -> None:
        matrix[first:last, :last] -= panel[first:last] @ row[:, :last]

    for _ in in_threads(work, len(matrix), BLOCK):
        pass
    matrix[start:stop, :start] = row[:, :start]
    matrix[stop:, start:stop] = row[:, stop:].T
    matrix[start:stop, start:stop] = -pivot
