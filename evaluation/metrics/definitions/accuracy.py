"""Whether the relevant items are in a list, and how high; docs/metrics.md has the definitions.

With h_r = 1 where the item at rank r is relevant, hits = Σ_{r≤k} h_r and rel the number of relevant items.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.evaluation.metrics.registry import Hits, per_query

Values = npt.NDArray[np.float64]


@per_query("precision", "Precision", on_board=True)
def precision(hits: Hits) -> Values:
    """Hits / k"""
    return np.where(hits.known, hits.found / hits.k, np.nan)


@per_query("recall", "Recall", on_board=True)
def recall(hits: Hits) -> Values:
    """Hits / rel"""
    return hits.found / hits.relevant


@per_query("map", "MAP", on_board=True)
def average_precision(hits: Hits) -> Values:
    """Σ_{r≤k} h_r · precision@r / min(rel, k), as in Spark's RankingMetrics"""
    positions = np.arange(1, hits.hit.shape[1] + 1)
    at_hits = (np.cumsum(hits.hit, axis=1) / positions * hits.hit).sum(axis=1)
    return at_hits / np.minimum(hits.relevant, hits.k)


@per_query("ndcg", "NDCG", on_board=True)
def ndcg(hits: Hits) -> Values:
    """Σ_{r≤k} h_r / log2(r + 1) over its value with min(rel, k) hits at the top
    (Järvelin & Kekäläinen 2002, binary gain)
    """
    positions = np.arange(1, hits.hit.shape[1] + 1)
    ideal_hits, known = np.minimum(hits.relevant, hits.k), hits.known
    most = int(np.nanmax(ideal_hits, initial=0.0))
    gains = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(1, most + 1) + 1))])
    ideal = np.full(len(known), np.nan)
    ideal[known] = gains[ideal_hits[known].astype(np.int64)]
    return hits.hit @ (1 / np.log2(positions + 1)) / ideal


@per_query("hitrate", "HitRate")
def hitrate(hits: Hits) -> Values:
    """1 where there is a hit, else 0"""
    return np.where(hits.known, (hits.found > 0).astype(np.float64), np.nan)


@per_query("mrr", "MRR")
def reciprocal_rank(hits: Hits) -> Values:
    """1 / rank of the first hit, 0 without one (Voorhees 1999)"""
    positions = np.arange(1, hits.hit.shape[1] + 1)
    return np.where(hits.known, (hits.hit / positions).max(axis=1, initial=0.0), np.nan)
