"""Vectors of histories, given the item vectors of a factorized matrix: exact least squares.

Notation: q histories, n items in one of them, d dimensions.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation import engines

Floats = npt.NDArray[np.float32]
HISTORIES_A_BLOCK = 64


def inverse(items: Floats, regularization: float) -> npt.NDArray[np.float64]:
    """float64[d, d]: (YᵀY + λI)⁻¹ of the item vectors Y, float32[n_items, d]."""
    wide = items.astype(np.float64)
    with threadpool_limits(1, user_api="blas"):  # The same bits on any number of threads.
        return np.asarray(np.linalg.inv(wide.T @ wide + regularization * np.eye(items.shape[1])))


def mean_user(total: npt.NDArray[np.float64], train: Interactions) -> Floats:
    """float32[d]: the mean of the vectors of users with interactions, whose sum is `total`, float64[d]."""
    return (total / max(train.active_users, 1)).astype(np.float32)


def solved(histories: Ragged, items: Floats, inverse: npt.NDArray[np.float64], alpha: float) -> Floats:
    """For each history the x that minimizes Σ_i c_i (p_i − x·y_i)² + λ‖x‖², c and p as in `ALS`.

    Equation 4 of Hu, Koren & Volinsky 2008. With Y_h the vectors of a history's items and
    V_h = Y_h (YᵀY + λI)⁻¹, the push-through identity makes it n equations, or d where that is fewer:

        x = α V_hᵀ (I + (α − 1) Y_h V_hᵀ)⁻¹ 1 = α (I + (α − 1) V_hᵀ Y_h)⁻¹ V_hᵀ 1

    Args:
        histories: q rows of item codes; an item that stands twice counts once.
        items: float32[n_items, d].
        inverse: float64[d, d], what `inverse` gives for `items`.
        alpha: the confidence in a taken item, above 0.

    Returns:
        float32[q, d]; zeros for an empty history.
    """
    values, offsets = histories.distinct().compact()
    taken, place = np.unique(values, return_inverse=True)
    rows, lengths = Ragged.from_offsets(place.astype(np.int32), offsets), np.diff(offsets)
    order = np.argsort(lengths, kind="stable")[np.count_nonzero(lengths == 0) :]
    vectors = np.zeros((len(histories), items.shape[1]), np.float32)
    with threadpool_limits(1, user_api="blas"):  # The blocks have threads of their own.
        y = items[taken]  # (taken, d)
        v = (y @ inverse).astype(np.float32)  # (taken, d)

        blocks = engines.current().map(
            partial(_block, alpha=alpha), (rows.take(order), y, v),
            len(order), HISTORIES_A_BLOCK, "als: folding in", "queries",
        )  # fmt: skip
        for number, block in enumerate(blocks):
            start = HISTORIES_A_BLOCK * number
            vectors[order[start : start + len(block)]] = block
    return vectors


def _block(shared: tuple[Ragged, Floats, Floats], start: int, stop: int, alpha: float) -> Floats:
    """float32[b, d]: the vectors of consecutive histories, none of them empty, in order of length."""
    rows, y, v = shared
    lengths = rows.lengths[start:stop]
    vectors = np.empty((stop - start, y.shape[1]), np.float32)
    for n in np.unique(lengths):  # Histories of one length make one array.
        same = np.flatnonzero(lengths == n)
        each = rows.take(start + same).compact()[0].reshape(-1, n)
        vectors[same] = alpha * _solved(y[each], v[each], np.float32(alpha - 1))
    return vectors


def _solved(y: Floats, v: Floats, weight: np.float32) -> Floats:
    """float32[b, d]: x / α of b histories, whose items have `y` and `v`, float32[b, n, d] each."""
    _, n, d = y.shape
    across = v.transpose(0, 2, 1)  # (b, d, n)
    ones = np.ones((n, 1), np.float32)
    if n < d:
        return (across @ np.linalg.solve(np.eye(n, dtype=np.float32) + weight * (y @ across), ones))[..., 0]
    return np.linalg.solve(np.eye(d, dtype=np.float32) + weight * (across @ y), across @ ones)[..., 0]
