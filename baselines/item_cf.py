"""Item-based collaborative filtering: items taken by the same users are similar."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines import pair_sums
from retrieval_leaderboard.baselines.neighborhood import Neighborhood, target_exponent_rule
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking.item_neighbors import nearest, ranked, say_duration
from retrieval_leaderboard.support.storage.mapped import sums

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from retrieval_leaderboard.evaluation.models.earlier import Earlier


@register("item_cf")
@dataclass
class ItemCF(Neighborhood):
    """Weighted cosine similarity of items, with an exponent for each side.

    s(i, j) = (c_ij / (c_ii^a · c_jj^b + m·shrinkage))^ρ, c_ij = Σ_{u ∈ U_i ∩ U_j} √(w_ui w_uj) |I_u|^-p,

    where i is the item of the history and j the item returned, w the weights of interactions and
    |I_u| = Σ_i w_ui: without weights each is 1, and |I_u| the number of u's items. By m = w̄^((1 − p)(a + b)),
    w̄ the mean weight, the unit of weights makes no difference. p = 0, a = b = ½ and ρ = 1 is the cosine of
    Sarwar et al., Item-based collaborative filtering recommendation algorithms, WWW 2001, as used by Linden
    et al., Amazon.com recommendations, IEEE Internet Computing 2003; shrinkage as in Ferrari Dacrema et al.,
    Are we really making much progress?, RecSys 2019; ρ is the case amplification of Breese et al., Empirical
    analysis of predictive algorithms for collaborative filtering, UAI 1998.
    """

    target_exponent: float | Auto = setting(
        AUTO, at_least=0, search=[AUTO, 0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6]
    )
    user_exponent: float = setting(0.5, search=(0.0, 1.25))
    """p: a user with many items says less of each pair of them."""
    shrinkage: float = setting(1.0, at_least=0, search=[0.0, 1.0, 10.0])
    """Added to the denominator: lowers similarities that few users support."""
    amplification: float | Auto = setting(AUTO, above=0, search=[AUTO, 0.7, 1.0, 1.3, 1.6, 2.0, 2.5])
    """ρ: above 1, a few large similarities of a history count more than many small ones. Auto takes 2 where
    the data is in time order, and else 1.3."""

    rules: ClassVar[dict[str, Rule]] = Neighborhood.rules | {
        "target_exponent": target_exponent_rule(0.05, 0.5),
        "amplification": lambda _, train, __: 2.0 if train.ordered else 1.3,
    }
    stochastic: ClassVar[bool] = False
    uses_weights: ClassVar[bool] = True

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Count weighted co-occurrences, item by item, and keep the `top_k` largest similarities."""
        self.pair_sums_ = None  # That of an earlier warm start.
        settings = self.resolve(train, valid)
        top_k, log = settings["top_k"], self._capped(train)
        say_duration(log, top_k, "item_cf", partial(self._bytes, train=log, top_k=top_k), weighted=True)
        weights = self._user_weights(log, self.user_exponent)
        norms = self._norms(_sizes(log, weights), settings["target_exponent"])
        shrinkage = self._shrinkage(log, settings)
        neighbors = nearest(log, weights, norms, shrinkage, top_k, "item_cf", weighted=True)
        self._amplify(neighbors, settings, train)

    def warm_start(self, earlier: Earlier[ItemCF], train: Interactions, seed: int) -> None:
        """As `fit`, but co-occurrences are counted of changed users alone, from the second warm start on."""
        settings = self.resolve(train, None)
        self.pair_sums_ = pair_sums.updated(earlier, train, self._counts)
        sizes = _sizes(train, self._user_weights(train, self.user_exponent))
        norms = self._norms(sizes, settings["target_exponent"])
        shrinkage = self._shrinkage(train, settings)
        neighbors = ranked(self.pair_sums_, norms, shrinkage, settings["top_k"], "item_cf")
        self._amplify(neighbors, settings, train)

    def _shrinkage(self, train: Interactions, settings: dict[str, Any]) -> float:
        """m·shrinkage of the docstring."""
        exponent = (1 - self.user_exponent) * (self.history_exponent + settings["target_exponent"])
        return float(self.shrinkage * train.mean_weight**exponent)

    def _counts(self, train: Interactions, users: npt.NDArray[np.bool_] | None) -> csr_array:
        """float64[n_items, n_items]: c_ij of all users, or the part of `users`, bool[n_users]."""
        return pair_sums.shared(train, self._user_weights(train, self.user_exponent), users)

    def _amplify(self, neighbors: csr_array, settings: dict[str, Any], train: Interactions) -> None:
        neighbors.data **= np.float32(settings["amplification"])
        self._set_similarity(neighbors, settings, train)


def _sizes(train: Interactions, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """float64[n_items]: c_ii, the sum of w_u w_ui of the users of each item; 1 where it has none."""

    def each(part: slice) -> npt.NDArray[np.float64]:
        own = weights[train.user[part]]
        return own if train.weight is None else own * train.weight[part]

    size = sums(train.item, each, train.n_items)
    return np.where(size == 0, 1.0, size)
