"""Two towers trained with the cosine contrastive loss of SimpleX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.neural.two_tower import TwoTower

if TYPE_CHECKING:
    from torch import Tensor

    from retrieval_leaderboard.neural.batches.batcher import Batch
    from retrieval_leaderboard.neural.towers.two_towers import TwoTowers


@register("simplex_ccl")
@dataclass
class SimpleX(TwoTower):
    """SimpleX (Mao et al. 2021, arXiv 2109.12613): a user is γ·e_u + (1-γ)·W·mean(history), the
    loss cosine contrastive, against uniformly drawn negatives.

    γ is `user_share` and W is `project`; by default both are off, which learns faster (Gowalla).
    """

    search_space: ClassVar[dict[str, Any]] = TwoTower.search_space | {
        "negatives": [512, 1024, 2048],
        "in_batch": [False, True],
        "history_dropout": [0.0, 0.1, 0.2, 0.3],
        "margin": (0.0, 0.95),
        "negative_weight": [0.0, 0.0005, 0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.03],
    }

    # On ml-1m attention takes NDCG@20 from .1298 to .0324 – .0971, but to .1401 with a fifth of the history's
    # vector dropped and a margin of .8: without noise this loss ranks the worse the better it is learned.
    attends: ClassVar[bool] = False

    margin: float = 0.5
    """A negative costs nothing below this cosine."""
    negative_weight: float = 0.0
    """Weight w of the mean cost of the negatives, in units of the number of items. 0 takes 0.004 for rows of
    users, as the authors' configurations have it whatever the dataset, and 0.01 for rows of positions, of
    which each has but one target."""

    def settle(self, train: Interactions) -> None:
        """Decide on the weight."""
        super().settle(train)
        self.negative_weight_ = self.negative_weight or (0.004 if self.rows_ == "user" else 0.01)

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowers) -> Tensor:
        """Cosine contrastive loss of each pair."""
        from retrieval_leaderboard.neural.losses import cosine_contrastive

        weight = self.negative_weight_ * len(towers.item_known)
        return cosine_contrastive(positive, negative, batch.row, batch.negatives, self.margin, weight)
