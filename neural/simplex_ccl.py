"""Two towers trained with the cosine contrastive loss of SimpleX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from evaluation.registry import register
from neural.two_tower import TwoTower

if TYPE_CHECKING:
    from torch import Tensor

    from neural.batches import Batch
    from neural.towers import TwoTowers


@register("simplex_ccl")
@dataclass
class SimpleX(TwoTower):
    """SimpleX (Mao et al. 2021, arXiv 2109.12613): a user id and the mean of a history, and the
    cosine contrastive loss against uniformly drawn negatives.
    """

    search_space: ClassVar[dict[str, Any]] = {
        "margin": (0.0, 0.95),
        "negative_weight": (1.0, 1000.0, "log"),
        "learning_rate": (0.001, 0.02, "log"),
    }

    margin: float = 0.8
    """A negative costs nothing below this cosine."""
    negative_weight: float = 150.0
    """Weight of the mean cost of the negatives."""

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowers) -> Tensor:
        """Cosine contrastive loss of each pair."""
        from neural.losses import cosine_contrastive

        return cosine_contrastive(positive, negative, batch.row, self.margin, self.negative_weight)
