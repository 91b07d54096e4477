"""Random walks of three steps, with a discount of popular items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from retrieval_leaderboard.baselines.neighborhood import Neighborhood, neighbors_kept
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking.item_neighbors import nearest


@register("rp3beta", by_default=False)
@dataclass
class RP3Beta(Neighborhood):
    """RP³β, and P³α with a target exponent of 0.

    s(i, j) = |U_i|^-a |U_j|^-β Σ_{u ∈ U_i ∩ U_j} |I_u|^-α,

    where i is the item of the history and j the item returned: equation 4 of Paudel et al., Updatable,
    accurate, diverse, and scalable recommendations for interactive applications, TiiS 2017, where a = α; P³α
    is that of Cooper et al., Random walks in recommender systems, WWW 2014.
    """

    alpha: float = setting(0.6, at_least=0, search=(0.0, 2.0))
    """α: transition probabilities to the power of α."""
    history_exponent: float = setting(0.6, at_least=0, search=(0.0, 2.0))
    """a: transition probabilities from an item of the history to its users, to this power."""
    target_exponent: float = setting(0.3, at_least=0, search=(0.0, 1.0))
    """β: how far the score of a popular returned item is reduced; 0 is P³α."""
    recency: float = setting(0.0, search=(0.0, 2.0))
    normalization: float = setting(0.0, at_least=0)

    rules: ClassVar[dict[str, Rule]] = {"top_k": neighbors_kept}
    stochastic: ClassVar[bool] = False

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Sum the walks, item by item, and keep the `top_k` most probable."""
        weights = np.maximum(train.user_counts, 1) ** -float(self.alpha)  # (users,)
        weights = np.maximum(weights, np.finfo(np.float64).tiny)
        norms = self._norms(np.maximum(train.item_counts, 1), self.target_exponent)
        top_k = self.resolve(train, valid)["top_k"]
        self._set_similarity(nearest(train, weights, norms, 0.0, top_k, "rp3beta"), train)
