"""NDCG of the first 1, 2, … k items of the same lists."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged


def ndcg_curve(items: npt.NDArray[np.int32], relevant: Ragged, k: int) -> npt.NDArray[np.float64]:
    """The mean over queries of what the metric "ndcg" gives for every length of the lists.

    Args:
        items: int32[q, m] item codes, best first, -1 for an empty position.
        relevant: q rows of item codes, without repetition.
        k: the longest length.

    Returns:
        float64[k]; NaN where no query has a relevant item.
    """
    known = relevant.lengths > 0
    hit, lengths = relevant.contains(items[:, :k])[known], relevant.lengths[known]
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gains)
    found, curve = np.zeros(len(hit)), np.full(k, np.nan)
    for length in range(1, (k if len(hit) else 0) + 1):
        if length <= hit.shape[1]:
            found += hit[:, length - 1] * gains[length - 1]
        curve[length - 1] = (found / ideal[np.minimum(lengths, length) - 1]).mean()
    return curve
