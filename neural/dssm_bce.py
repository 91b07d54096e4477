"""Two towers trained with binary cross-entropy over sampled negatives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval_leaderboard.evaluation.models.fields import setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.neural.two_tower import TemperatureTwoTower

if TYPE_CHECKING:
    from torch import Tensor

    from retrieval_leaderboard.neural.batches.batcher import Batch
    from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule


@register("dssm_bce")
@dataclass
class DssmBce(TemperatureTwoTower):
    """DSSM (Huang et al. 2013): two towers compared by cosine, trained pointwise with binary
    cross-entropy against drawn negatives.
    """

    negatives: int = setting(2048, at_least=0, search=[512, 1024, 2048])
    negative_weight: float = setting(0.1, above=0, search=(0.003, 1.0, "log"))
    """Weight of the mean cost of the negatives, in units of the number of items: at 1 every item of
    the catalog weighs as much as the target."""

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowerModule) -> Tensor:
        """Binary cross-entropy of each pair."""
        from retrieval_leaderboard.neural.losses import binary_cross_entropy

        weight = self.negative_weight * len(towers.item_known)
        # The learned bias starts where the target and all negatives together pull equally.
        bias = towers.bias - math.log(weight)
        count = batch.negatives
        temperature = concrete(self.temperature)
        return binary_cross_entropy(positive, negative, batch.row, count, temperature, bias, weight)
