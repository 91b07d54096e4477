"""How evenly lists show the catalog, and how popular what they show is (docs/metrics.md)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.metrics.registry import list_level

Lists = npt.NDArray[np.int32]


@list_level("gini", "Gini index")
def gini(items: Lists, train: Interactions) -> float:
    """Of how often each item of the catalog is listed: 0 where all are alike, near 1 where one has all.

    Σ_j (2j − n − 1) x_(j) / (n Σ_j x_(j)) over the counts in ascending order (Fleder & Hosanagar 2009).
    """
    listed = np.sort(np.bincount(items[items >= 0], minlength=train.n_items))
    ranks = 2 * np.arange(1, train.n_items + 1) - train.n_items - 1
    return float(ranks @ listed / (train.n_items * listed.sum())) if listed.any() else np.nan


@list_level("novelty", "novelty")
def novelty(items: Lists, train: Interactions) -> float:
    """Mean self-information −log2(share of the users who took the item), in bits (Zhou et al. 2010).

    An item without training interactions counts as if one user had taken it.
    """
    share = np.maximum(train.item_counts[items[items >= 0]], 1) / max(train.active_users, 1)
    return float(-np.log2(share).mean()) if len(share) else np.nan


@list_level("popularity", "mean popularity")
def popularity(items: Lists, train: Interactions) -> float:
    """Mean number of users who took a listed item in training (Yin et al. 2012)."""
    counts = train.item_counts[items[items >= 0]]
    return float(counts.mean()) if len(counts) else np.nan
