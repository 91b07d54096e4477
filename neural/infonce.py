"""Two towers trained with InfoNCE: sampled softmax over in-batch and uniform negatives."""

from __future__ import annotations

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


@register("infonce")
@dataclass
class InfoNCE(TemperatureTwoTower):
    """Sampled softmax with temperature (van den Oord et al. 2018) and logQ correction (Yi et al. 2019).

    Negatives are the targets of the batch's other examples together with uniformly drawn items; an
    example's targets, and per user its history, are no negatives of it.
    """

    logq_correction: bool = True
    """Subtract the log probability of a negative to be in the sample from its score."""
    negatives: int = setting(512, at_least=0)
    """Uniform negatives drawn for each batch, beside those from the batch."""
    in_batch: bool = True
    """Use the targets of the batch's other examples as negatives too."""

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowerModule) -> Tensor:
        """Sampled softmax of each pair."""
        from retrieval_leaderboard.neural.losses import sampled_softmax

        log_q = batch.log_q if self.logq_correction else None
        return sampled_softmax(positive, negative, batch.row, concrete(self.temperature), log_q)
