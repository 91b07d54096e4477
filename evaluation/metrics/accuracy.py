"""Metrics at k for every query at once; the definitions are in docs/metrics.md."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged

METRICS = ("precision", "recall", "map", "ndcg", "hitrate")


def per_query(items: npt.NDArray[np.int32], relevant: Ragged, k: int) -> dict[str, npt.NDArray[np.float64]]:
    """Score each query's list against its relevant items.

    With h_r = 1 where the item at rank r is relevant, hits = Σ_{r≤k} h_r and rel the number of
    relevant items:

    - precision = hits / k; recall = hits / rel; hitrate = hits > 0
    - map: AP = Σ_{r≤k} h_r · precision@r / min(rel, k), as in Spark's RankingMetrics
    - ndcg = Σ_{r≤k} h_r / log2(r + 1) over its value with min(rel, k) hits at the top
      (Järvelin & Kekäläinen 2002, binary gain)

    Args:
        items: int32[q, m] item codes, best first, -1 for an empty place; a list shorter than
            `k` counts its missing places as misses.
        relevant: q rows of item codes, without repetition.
        k: how many places count.

    Returns:
        metric → float64[q]; NaN for a query without relevant items.
    """
    hits = relevant.contains(items[:, :k]).astype(np.float64)  # (queries, places)
    rel = relevant.lengths.astype(np.float64)  # (queries,)
    rel[rel == 0] = np.nan
    places = np.arange(1, hits.shape[1] + 1)
    ideal_hits = np.minimum(rel, k)
    discount = 1 / np.log2(places + 1)
    most = int(np.nanmax(ideal_hits, initial=0.0))
    ideal_gain = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(1, most + 1) + 1))])
    found = hits.sum(axis=1)
    precision_at_hits = (np.cumsum(hits, axis=1) / places * hits).sum(axis=1)
    known = ~np.isnan(rel)
    ideal = np.full(len(rel), np.nan)
    ideal[known] = ideal_gain[ideal_hits[known].astype(np.int64)]
    return {
        "precision": np.where(known, found / k, np.nan),
        "recall": found / rel,
        "map": precision_at_hits / ideal_hits,
        "ndcg": hits @ discount / ideal,
        "hitrate": np.where(known, (found > 0).astype(np.float64), np.nan),
    }


def mean(values: dict[str, npt.NDArray[np.float64]]) -> dict[str, float]:
    """Metric → mean over the queries that have relevant items, of which there must be one."""
    return {name: float(np.nanmean(scores)) for name, scores in values.items()}
