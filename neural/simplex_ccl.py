"""Two towers trained with the cosine contrastive loss of SimpleX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.neural import auto_settings
from retrieval_leaderboard.neural.two_tower import TwoTower

if TYPE_CHECKING:
    from torch import Tensor

    from retrieval_leaderboard.neural.batches.batcher import Batch
    from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule


@register("simplex_ccl")
@dataclass
class SimpleX(TwoTower):
    """SimpleX (Mao et al. 2021, arXiv 2109.12613): a user is γ·e_u + (1-γ)·mean(history), the
    loss cosine contrastive, against uniformly drawn negatives.

    γ is `user_share`, 0 by default; the authors' matrix before the mean is left out.
    """

    negatives: int = setting(2048, at_least=0, search=[512, 1024, 2048])
    in_batch: bool = setting(False, search=[False, True])
    history_dropout: float = setting(0.0, at_least=0, below=1, search=[0.0, 0.1, 0.2, 0.3])
    margin: float = setting(0.5, search=(0.0, 0.95))
    """A negative costs nothing below this cosine."""
    negative_weight: float | Auto = setting(
        AUTO, above=0, search=[AUTO, 0.0005, 0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.03]
    )
    """Weight w of the mean cost of the negatives, in units of the number of items. Auto takes 0.004 for
    examples per user, and 0.01 per interaction."""

    rules: ClassVar[dict[str, Rule]] = TwoTower.rules | {
        "history_encoder": auto_settings.history_encoder_without_attention,
        "mlp": auto_settings.no_mlp,
        "negative_weight": auto_settings.contrastive_weight,
    }

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowerModule) -> Tensor:
        """Cosine contrastive loss of each pair."""
        from retrieval_leaderboard.neural.losses import cosine_contrastive

        weight = concrete(self.negative_weight) * len(towers.item_known)
        return cosine_contrastive(positive, negative, batch.row, batch.negatives, self.margin, weight)
