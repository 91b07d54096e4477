"""The same list for everyone: the items taken most often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import setting
from retrieval_leaderboard.evaluation.models.quick_fit import QuickFit
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.ranking import popularity, topk
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.mapped import sums

SECONDS_PER_DAY = 86_400


@register("global_hot")
@dataclass
class GlobalHot(QuickFit):
    """Items by the number of users who took them; the baseline that any model must beat.

    Where interactions have weights, by the sum of those.

    With a half-life h, a user who took the item t days before the last interaction counts 2^(-t / h): the
    "recently popular" of Ji et al., A Re-visit of the Popularity Baseline in Recommender Systems,
    SIGIR 2020. Who took it several times counts by the last one. Items nobody took are not returned.
    """

    half_life_days: float = setting(0.0, at_least=0, search=[0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 365.0])
    """Days after which an interaction counts half; 0 counts all of them fully."""

    stochastic: ClassVar[bool] = False
    grouped: ClassVar[bool] = True
    uses_weights: ClassVar[bool] = True

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Count, and sort by (count, `ties.rank`).

        Raises:
            InputError: a half-life, and no times.
        """
        if reason := self.lacking_data(train):
            raise InputError(reason)
        counts = self._counts(train)
        # What an item counts after many half-lives may be too small for a number above 0.
        self.order_ = popularity.ranked(counts, train)
        self.scores_ = counts[self.order_].astype(np.float32)

    def lacking_data(self, train: Interactions) -> str:
        """Times, for a half-life."""
        if self.half_life_days == 0 or train.timestamp is not None:
            return ""
        return (
            f"{self.name}.half_life_days={self.half_life_days:g} needs the time of each interaction, which "
            "this dataset does not have: set it to 0"
        )

    def without_effect(self, train: Interactions, valid: Queries) -> frozenset[str]:
        """The half-life, where there are no times: only 0 can be fitted."""
        return frozenset({"half_life_days"} if train.timestamp is None else ())

    def _counts(self, train: Interactions) -> npt.NDArray[np.float64]:
        """float64[n_items]: the sum of what each item's interactions count."""
        when = train.timestamp if train.last_timestamp is None else train.last_timestamp
        if self.half_life_days == 0 or when is None or not len(train):
            return train.item_weights
        last = when.max()

        def aged(part: slice) -> npt.NDArray[np.float64]:
            found = 0.5 ** ((last - when[part]) / SECONDS_PER_DAY / self.half_life_days)
            return found if train.weight is None else found * train.weight[part]

        return sums(train.item, aged, train.n_items)

    def recommend(self, queries: Queries, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The `k` most popular items that a query does not exclude."""
        return topk.first_allowed(self.order_, self.scores_, queries.exclude, k)

    @property
    def parameters(self) -> int:
        """One count an item."""
        return len(self.order_)
