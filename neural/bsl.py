"""Two towers trained with the bilateral softmax loss: negatives may weigh more than the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.neural.tempered import Tempered

if TYPE_CHECKING:
    from torch import Tensor

    from retrieval_leaderboard.neural.batches.batcher import Batch
    from retrieval_leaderboard.neural.towers.two_towers import TwoTowers


@register("bsl")
@dataclass
class BSL(Tempered):
    """Bilateral softmax loss (Wu et al. 2023, arXiv 2312.12882) against uniformly drawn negatives.

    A row's targets, and for rows of users its history, are no negatives of it.
    """

    search_space: ClassVar[dict[str, Any]] = Tempered.search_space | {
        "negatives": [512, 1024, 2048],
        "negative_weight": [0.0, 0.9, 1.0, 1.05, 1.1, 1.2, 1.3],
    }

    negative_weight: float = 0.0
    """w: weight of the negatives' log-sum, the authors' second temperature; the target has weight 1. 0 takes
    1.2 for rows of users without features and else 1, a plain softmax: more than that does harm where rows
    are positions, and with features and an MLP (aliec-sim's validation part: 1 comes to .157, 1.2 to .074).
    Gowalla's validation part, 40 epochs, seed 0: 1.1 comes to .1243, 1.15 .1280, 1.2 .1287, 1.3 .1107, 1.4
    .0776."""

    def settle(self, train: Interactions) -> None:
        """Decide on temperature and weight."""
        super().settle(train)
        by_rule = 1.2 if self.rows_ == "user" and not self.features else 1.0
        self.negative_weight_ = self.negative_weight or by_rule

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowers) -> Tensor:
        """Bilateral softmax loss of each pair."""
        from retrieval_leaderboard.neural.losses import bilateral_softmax

        return bilateral_softmax(positive, negative, batch.row, self.temperature_, self.negative_weight_)
