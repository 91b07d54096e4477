"""How much of the catalog the lists show to anybody."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.metrics.registry import list_level


@list_level("coverage", "item coverage")
def coverage(items: npt.NDArray[np.int32], train: Interactions) -> float:
    """The share of the catalog on at least one list: aggregate diversity (Adomavicius & Kwon 2012)."""
    listed = np.bincount(items[items >= 0], minlength=train.n_items)
    return float((listed > 0).sum() / train.n_items)
