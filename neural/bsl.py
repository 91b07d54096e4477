"""Two towers trained with the bilateral softmax loss: negatives may weigh more than the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.neural import auto_settings
from retrieval_leaderboard.neural.two_tower import TemperatureTwoTower

if TYPE_CHECKING:
    from torch import Tensor

    from retrieval_leaderboard.neural.batches.batcher import Batch
    from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule


@register("bsl")
@dataclass
class BSL(TemperatureTwoTower):
    """Bilateral softmax loss (Wu et al. 2023, arXiv 2312.12882) against uniformly drawn negatives.

    An example's targets, and per user its history, are no negatives of it.
    """

    negatives: int = setting(2048, at_least=0, search=[512, 1024, 2048])
    negative_weight: float | Auto = setting(AUTO, above=0, search=[AUTO, 0.9, 1.0, 1.05, 1.1, 1.2, 1.3])
    """w: weight of the negatives' log-sum, the authors' second temperature; the target has weight 1. Auto
    takes 1.1 for examples per user without features and else 1, a plain softmax."""

    rules: ClassVar[dict[str, Rule]] = TemperatureTwoTower.rules | {
        "negative_weight": auto_settings.bilateral_weight,
    }

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowerModule) -> Tensor:
        """Bilateral softmax loss of each pair."""
        from retrieval_leaderboard.neural.losses import bilateral_softmax

        weight, temperature = concrete(self.negative_weight), concrete(self.temperature)
        return bilateral_softmax(positive, negative, batch.row, temperature, weight)
