"""How much of the catalog the lists show to anybody."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.evaluation.metrics.registry import list_level


@list_level("coverage", "item coverage")
def coverage(items: npt.NDArray[np.int32], n_items: int) -> float:
    """The share of the catalog on at least one list: aggregate diversity (Adomavicius & Kwon 2012)."""
    return float(np.bincount(items[items >= 0], minlength=n_items).astype(bool).sum() / n_items)
