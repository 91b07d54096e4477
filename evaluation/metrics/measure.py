"""The registered metrics of lists, for every query at once."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.metrics import definitions  # noqa: F401  (importing registers them)
from retrieval_leaderboard.evaluation.metrics.registry import LIST_LEVEL, PER_QUERY, Hits

VALID_K = 20
"""Length of the lists by which settings and epochs are chosen on the validation queries"""
BLOCK = 2**14
"""Queries that are measured at once"""

Values = dict[str, npt.NDArray[np.float64]]
"""Metric → one number a query"""


def per_query(items: npt.NDArray[np.int32], relevant: Ragged, k: int) -> Values:
    """Score each query's list against its relevant items by every per-query metric.

    Args:
        items: int32[q, m] item codes, best first, -1 for an empty position; a list shorter than
            `k` counts its missing positions as misses.
        relevant: q rows of item codes, without repetition.
        k: how many positions count.

    Returns:
        metric → float64[q]; NaN for a query without relevant items.
    """
    first = items[:, :k]
    if len(first) <= BLOCK:
        return _of_block((first, relevant), 0, len(first), k)
    blocks = engines.current().map(
        partial(_of_block, k=k), (first, relevant), len(first), BLOCK, "measuring", "queries"
    )
    parts = list(blocks)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _of_block(shared: tuple[npt.NDArray[np.int32], Ragged], start: int, stop: int, k: int) -> Values:
    items, relevant = shared[0][start:stop], shared[1].take(slice(start, stop))
    n_relevant = relevant.lengths.astype(np.float64)
    n_relevant[n_relevant == 0] = np.nan
    hits = Hits(relevant.contains(items).astype(np.float64), n_relevant, k)
    return {name: metric.function(hits) for name, metric in PER_QUERY.items()}


def list_level(items: npt.NDArray[np.int32], train: Interactions) -> dict[str, float]:
    """Every list-level metric of int32[q, k] lists, but for those with nothing to measure.

    Args:
        items: -1 for an empty position.
        train: what the final model learns from.
    """
    found = {name: float(metric.function(items, train)) for name, metric in LIST_LEVEL.items()}
    return {name: value for name, value in found.items() if not np.isnan(value)}


def mean(values: dict[str, npt.NDArray[np.float64]]) -> dict[str, float]:
    """Metric → mean over the queries that have relevant items, of which there must be one."""
    return {name: float(np.nanmean(scores)) for name, scores in values.items()}
