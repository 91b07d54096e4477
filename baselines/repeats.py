"""Consumption that repeats: what an item's similarity to itself says of a history that is taken again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.bases import ItemToItemRetriever
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.retriever import Rule

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST = 0.99
"""The largest share of repeats that is taken: at 1 an item would be similar to itself alone"""


def rule(share: float) -> Rule:
    """`share`·r / (1 − r), r the `ratio` of the validation queries.

    With a share of 1 the items of a history would have r of all that the history gives. But they are taken
    by chance too, where tastes are narrow, and similarities know of that already.
    """

    def resolved(settings: Mapping[str, Any], train: Interactions, valid: Queries | None) -> float:
        repeated = ratio(valid)
        return round(share * repeated / (1 - repeated), 4)

    return resolved


def ratio(valid: Queries | None) -> float:
    """The share of true items that stand in their query's history, at most MOST; 0 without queries.

    Where seen items are excluded, none does.
    """
    if valid is None or not len(valid):
        return 0.0
    new = int(valid.relevant.without(valid.history).lengths.sum())
    return min(1 - new / int(valid.relevant.lengths.sum()), MOST)


@dataclass
class RepeatingRetriever(ItemToItemRetriever):
    """An item-to-item model whose items are similar to themselves too, where seen items are kept."""

    self_similarity: float | Auto = setting(AUTO, at_least=0)
    """An item's similarity to itself, by the sum of its similarities to others: it returns what is taken
    again. Auto takes 0.3 (item_cf, swing), 0.1 (rp3beta) or 0.03 (ease) times r / (1 − r), r the share of
    validation's true items that stand in their history."""

    @classmethod
    def canonical(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """`settings` without an "auto" self-similarity: runs of earlier versions had none."""
        return {key: value for key, value in settings.items() if (key, value) != ("self_similarity", AUTO)}

    def resolve(self, train: Interactions, valid: Queries | None) -> dict[str, Any]:
        """As `Retriever.resolve`, without an "auto" that comes to 0, as it was in earlier versions."""
        settings = super().resolve(train, valid)
        if self.self_similarity == AUTO and not settings["self_similarity"]:
            del settings["self_similarity"]
        return settings

    @classmethod
    def in_catalog(cls, resolved: Mapping[str, Any], then: int, now: int) -> dict[str, Any]:
        """As `Retriever.in_catalog`; what was "auto" and came to 0 stays 0, whatever is taken again now."""
        return {"self_similarity": 0.0, **super().in_catalog(resolved, then, now)}

    def without_effect(self, train: Interactions, valid: Queries) -> frozenset[str]:
        """Self-similarity, where seen items are excluded."""
        return frozenset({"self_similarity"} if valid.excludes_seen else ())

    @staticmethod
    def _with_self(similarity: csr_array, settings: Mapping[str, Any], train: Interactions) -> csr_array:
        """`similarity`, row = item of the history, with what `settings` say of itself on its diagonal."""
        from scipy.sparse import diags_array

        weight = settings.get("self_similarity", 0.0)
        if not weight:
            return similarity
        # A weight of ease may be below 0.
        above = similarity.maximum(0) if similarity.data.min(initial=0) < 0 else similarity
        sums = np.asarray(above.sum(axis=1))  # (items,)
        # What has no others, for all who took it took nothing else, has what a mean item has.
        sums[(sums == 0) & (train.item_counts > 0)] = sums.mean()
        return (similarity + diags_array((weight * sums).astype(similarity.dtype))).tocsr()
