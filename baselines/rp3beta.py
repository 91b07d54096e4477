"""Random walks of three steps, with a discount of popular items."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines import pair_sums, repeats
from retrieval_leaderboard.baselines.neighborhood import Neighborhood, target_exponent_rule
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking.item_neighbors import nearest, ranked, say_duration

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from retrieval_leaderboard.evaluation.models.earlier import Earlier


@register("rp3beta", by_default=False)
@dataclass
class RP3Beta(Neighborhood):
    """RP³β: the probability of a walk from item to user to item, with popular items held back; P³α at β = 0.

    s(i, j) = |U_i|^-a |U_j|^-β c_ij, c_ij = Σ_{u ∈ U_i ∩ U_j} √(w_ui w_uj) |I_u|^-α,

    where i is the item of the history and j the item returned, w the weights of interactions (each 1 without
    weights), |I_u| = Σ_i w_ui and |U_i| = Σ_u w_ui. Without weights a = α is equation 4 of Paudel et al.,
    Updatable, accurate, diverse, and scalable recommendations for interactive applications, TiiS 2017; with
    β = 0 (`target_exponent`) too it is P³α of Cooper et al., Random walks in recommender systems, WWW 2014.
    """

    top_k: int | Auto = setting(AUTO, at_least=1, search=[AUTO, 50, 100, 200, 500, 1000])
    """Similarities kept for each item of the side `prune_axis`; auto keeps a 40th of the items, yet 50 to
    500: walks spread wider than cosines."""
    history_exponent: float = setting(0.6, at_least=0, search=(0.0, 1.2))
    """a: transition probabilities from an item of the history to its users, to this power."""
    target_exponent: float | Auto = setting(
        AUTO, at_least=0, search=[AUTO, 0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8]
    )
    """β: how far the score of a popular returned item is reduced; 0 is P³α. Auto takes 0.1, and 0.5 where the
    data is in time order and users have 50 interactions or more on average."""
    alpha: float = setting(0.6, at_least=0, search=(0.0, 1.2))
    """α: transition probabilities from a user to the items, to this power."""
    normalization: float = setting(0.0, at_least=0, search=[0.0, 0.15, 0.3])

    rules: ClassVar[dict[str, Rule]] = Neighborhood.rules | {
        "top_k": lambda _, train, __: min(max(train.n_items // 40, 50), 500),
        "self_similarity": repeats.rule(0.1),
        "target_exponent": target_exponent_rule(0.1, 0.5),
    }
    stochastic: ClassVar[bool] = False
    uses_weights: ClassVar[bool] = True

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Sum the walks, item by item, and keep the `top_k` most probable."""
        self.pair_sums_ = None  # That of an earlier warm start.
        settings, log = self.resolve(train, valid), self._capped(train)
        need = partial(self._bytes, train=log, top_k=settings["top_k"])
        say_duration(log, settings["top_k"], "rp3beta", need, weighted=True)
        weights, norms = self._user_weights(log, self.alpha), self._item_norms(log, settings)
        walks = nearest(log, weights, norms, 0.0, settings["top_k"], "rp3beta", weighted=True)
        self._set_similarity(walks, settings, train)

    def warm_start(self, earlier: Earlier[RP3Beta], train: Interactions, seed: int) -> None:
        """As `fit`, but walks are summed of changed users alone, from the second warm start on."""
        settings = self.resolve(train, None)
        self.pair_sums_ = pair_sums.updated(earlier, train, self._counts)
        norms = self._item_norms(train, settings)
        walks = ranked(self.pair_sums_, norms, 0.0, settings["top_k"], "rp3beta")
        self._set_similarity(walks, settings, train)

    def _counts(self, train: Interactions, users: npt.NDArray[np.bool_] | None) -> csr_array:
        """float64[n_items, n_items]: c_ij of all users, or the part of `users`, bool[n_users]."""
        return pair_sums.shared(train, self._user_weights(train, self.alpha), users)
