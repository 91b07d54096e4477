"""User-based collaborative filtering: what the users with the most similar histories took."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines.neighborhood import target_exponent_rule
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.quick_fit import QuickFit
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking import neighbor_memory, popularity, topk
from retrieval_leaderboard.evaluation.ranking.item_neighbors import arrays, roots_of, users_of_items


@register("user_knn", by_default=False)
@dataclass
class UserKNN(QuickFit):
    """The items of the `top_k` users whose training rows are most similar to a query's history.

    s(h, v) = (Σ_{i ∈ h ∩ I_v} √w_vi r_i^-t |U_i|^-p / (|h|^½ |I_v|^a + w̄^a·shrinkage))^ρ,
    score(j) = |U_j|^-b Σ_v s(h, v) √w_vj,

    over the neighbors v that took j. The history's item i is the r_i-th from the end, w are the weights of
    interactions (each 1 without weights), w̄ their mean, |U_i| = Σ_v w_vi and |I_v| = Σ_i w_vi. With
    p = t = b = 0, a = ½ and ρ = 1 it is the plain cosine of Herlocker et al., An algorithmic framework for
    performing collaborative filtering, SIGIR 1999; shrinkage as in Ferrari Dacrema et al., Are we really
    making much progress?, RecSys 2019; ρ is the case amplification of Breese et al., Empirical analysis of
    predictive algorithms for collaborative filtering, UAI 1998; t weighs a history as Ludewig and Jannach,
    Evaluation of session-based recommendation algorithms, UMUAI 2018. A query's own training row is no
    neighbor of it. Places for items that no neighbor took are filled by popularity, as `global_hot` ranks.
    """

    top_k: int = setting(200, at_least=1, search=[20, 50, 100, 200, 400, 800])
    """Users whose items count."""
    item_exponent: float = setting(0.3, at_least=0, search=(0.0, 1.0))
    """p: an item that many took says less of two users who share it."""
    user_exponent: float = setting(0.5, at_least=0, search=(0.0, 1.0))
    """a: how far the similarity of a user with many items is reduced."""
    target_exponent: float | Auto = setting(
        AUTO, at_least=0, search=[AUTO, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    )
    """b: how far the score of a popular item is reduced. Auto takes 0, and 0.5 where the data is in time
    order and users have 50 interactions or more on average."""
    recency: float = setting(1.0, search=(0.0, 2.0))
    """t: the r-th history item from the end weighs r^-t, where the data is in time order."""
    shrinkage: float = setting(1.0, at_least=0, search=[0.0, 1.0, 10.0, 100.0])
    amplification: float = setting(1.0, above=0, search=(0.5, 3.0))
    """ρ: above 1, the most similar users count more."""

    rules: ClassVar[dict[str, Rule]] = {"target_exponent": target_exponent_rule(0.0, 0.5)}
    stochastic: ClassVar[bool] = False
    uses_weights: ClassVar[bool] = True

    def without_effect(self, train: Interactions, valid: Queries) -> frozenset[str]:
        """Recency, where the data is not in time order."""
        return frozenset() if train.ordered else frozenset({"recency"})

    def fit_bytes(self, train: Interactions, valid: Queries | None) -> int:
        """The training rows by item, while they are sorted, and the numbers of users and items."""
        return neighbor_memory.by_item(train) + neighbor_memory.numbers(train)

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Keep the training rows, both ways."""
        # As w̄^a in the docstring.
        self.shrinkage_ = float(self.shrinkage) * train.mean_weight ** float(self.user_exponent)
        self.recency_ = float(self.recency) if train.ordered else 0.0
        of_users, of_items = roots_of(train)
        self.users_of_item_ = _stored(users_of_items(train), of_users)
        self.items_of_user_ = _stored(train.by_user, of_items)
        size = np.where(train.item_counts > 0, train.item_weights, 1)
        lengths = np.where(train.user_counts > 0, train.user_weights, 1)
        self.item_weight_ = size ** -float(self.item_exponent)
        self.user_norm_ = lengths ** float(self.user_exponent)
        self.popular_ = popularity.ranked(train.item_weights, train)
        self.target_weight_ = size ** -float(self.resolve(train, valid)["target_exponent"])

    def recommend(self, queries: Queries, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The `k` best; items that no neighbor took come after all others."""
        users, items = (arrays(_rows(each)) for each in (self.users_of_item_, self.items_of_user_))
        roots = self.users_of_item_.get("roots"), self.items_of_user_.get("roots")
        about = self.item_weight_, self.user_norm_, self.target_weight_
        numbers = self.recency_, self.shrinkage_, float(self.amplification), int(self.top_k)
        asked = queries.user, queries.history, queries.exclude
        kernel = partial(_answers, numbers=numbers, k=k)
        shared = (*asked, users, items, *roots, *about)
        costs = self._costs(queries.history.lengths)
        lists = topk.by_queries(kernel, shared, len(queries), k, 64, costs=costs)
        return popularity.filled(lists, self.popular_, queries.exclude)

    def knows(self, queries: Queries) -> npt.NDArray[np.bool_]:
        """bool[q]: whether another user took an item of the history."""
        users, offsets = self.users_of_item_["values"], self.users_of_item_["offsets"]
        items, rows = queries.history.compact()[0], queries.history.rows()
        others = offsets[items + 1] - offsets[items]
        taken = np.flatnonzero(others)
        # Where the first of several is who asks, another one is still there.
        others[taken] -= users[offsets[items[taken]]] == queries.user[rows[taken]]
        return np.bincount(rows[others > 0], minlength=len(queries)) > 0

    def _costs(self, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Steps for histories of these lengths: the users of each item, and the items of `top_k` users."""
        users = np.diff(self.users_of_item_["offsets"]).astype(np.float64)
        met = (users**2).sum() / max(users.sum(), 1)
        return lengths * met + self.top_k * users.sum() / max(len(self.user_norm_), 1)

    @property
    def parameters(self) -> int:
        """Training interactions."""
        return len(self.items_of_user_["values"])


def _answers(
    shared: tuple[Any, ...], start: int, stop: int, numbers: tuple[float, float, float, int], k: int
) -> topk.TopK:
    from retrieval_leaderboard.baselines import user_knn_kernels

    users, histories, excluded, *fitted = shared
    rows = slice(start, stop)
    asked = users[rows], arrays(histories.take(rows)), arrays(excluded.take(rows))
    found, scores = topk.empty(stop - start, k)
    user_knn_kernels.recommend(*(*asked, *fitted, *numbers, found, scores))
    return found, scores


def _stored(rows: Ragged, roots: npt.NDArray[np.float32] | None) -> dict[str, npt.NDArray]:
    values, offsets = rows.compact()
    stored: dict[str, npt.NDArray] = {"values": values, "offsets": offsets}
    return stored if roots is None else stored | {"roots": roots}


def _rows(stored: dict[str, npt.NDArray]) -> Ragged:
    return Ragged.from_offsets(stored["values"], stored["offsets"])
