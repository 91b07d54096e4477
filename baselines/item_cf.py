"""Item-based collaborative filtering: items taken by the same users are similar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from retrieval_leaderboard.baselines.similarity import Neighborhood, target_exponent
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import AUTO, Rule
from retrieval_leaderboard.evaluation.ranking.cooccurrence import nearest
from retrieval_leaderboard.support.errors import InputError


@register("item_cf")
@dataclass
class ItemCF(Neighborhood):
    """Weighted cosine similarity of items, with an exponent for each side.

    s(i, j) = (c_ij / (c_ii^a · c_jj^b + shrinkage))^ρ, c_ij = Σ_{u ∈ U_i ∩ U_j} |I_u|^-p,

    where i is the item of the history and j the item returned. p = 0, a = b = ½ and ρ = 1 is the
    cosine of Sarwar et al., Item-based collaborative filtering recommendation algorithms, WWW 2001,
    as used by Linden et al., Amazon.com recommendations, IEEE Internet Computing 2003; shrinkage as
    in Ferrari Dacrema et al., Are we really making much progress?, RecSys 2019; ρ is the case
    amplification of Breese et al., Empirical analysis of predictive algorithms for collaborative
    filtering, UAI 1998.
    """

    user_exponent: float = 0.5
    """p: a user with many items says less of each pair of them."""
    shrinkage: float = 1.0
    """Added to the denominator: lowers similarities that few users support."""
    amplification: float = 2.0
    """ρ: above 1, a few large similarities of a history count more than many small ones."""

    rules: ClassVar[dict[str, Rule]] = Neighborhood.rules | {"target_exponent": target_exponent(0.05, 0.5)}
    stochastic: ClassVar[bool] = False

    search_space: ClassVar[dict[str, Any]] = {
        "user_exponent": (0.0, 1.25),
        "history_exponent": (0.2, 1.2),
        "target_exponent": [AUTO, 0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6],
        "recency": (0.0, 2.0),
        "shrinkage": [0.0, 1.0, 10.0],
        "amplification": (0.7, 2.5),
        "top_k": [AUTO, 20, 50, 100, 200, 500, 1000],
        "normalization": [0.0, 0.15, 0.3, 0.5],
    }

    def __post_init__(self) -> None:
        """Refuse settings without a meaning."""
        super().__post_init__()
        if self.shrinkage < 0:
            raise InputError(f"item_cf.shrinkage must be at least 0, not {self.shrinkage}")
        if self.amplification <= 0:
            raise InputError(f"item_cf.amplification must be above 0, not {self.amplification}")

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Count weighted co-occurrences, item by item, and keep the `top_k` largest similarities."""
        weights = np.maximum(train.user_counts, 1) ** -float(self.user_exponent)  # (users,)
        # The kernel knows an item it has met by a sum above 0.
        weights = np.maximum(weights, np.finfo(np.float64).tiny)
        size = np.bincount(train.item, weights[train.user], minlength=train.n_items)  # (items,)
        size[size == 0] = 1.0
        settings = self.resolve(train, valid)
        norms = self._norms(size, settings["target_exponent"])
        neighbors = nearest(train, weights, norms, self.shrinkage, settings["top_k"], "item_cf")
        neighbors.data **= np.float32(self.amplification)
        self._adopt(neighbors, train)
