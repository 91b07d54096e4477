"""Two towers trained with the bilateral softmax loss: negatives may weigh more than the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from evaluation.registry import register
from neural.tempered import Tempered

if TYPE_CHECKING:
    from torch import Tensor

    from neural.batches import Batch
    from neural.towers import TwoTowers


@register("bsl")
@dataclass
class BSL(Tempered):
    """Bilateral softmax loss (Wu et al. 2023, arXiv 2312.12882) against uniformly drawn negatives.

    A row's targets, and for rows of users its history, are no negatives of it.
    """

    search_space: ClassVar[dict[str, Any]] = Tempered.search_space | {
        "negatives": [512, 1024, 2048],
        "negative_weight": (0.9, 1.3),
    }

    negative_weight: float = 1.2
    """w: weight of the negatives' log-sum, the authors' second temperature; the target has weight 1."""

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowers) -> Tensor:
        """Bilateral softmax loss of each pair."""
        from neural.losses import bilateral_softmax

        return bilateral_softmax(positive, negative, batch.row, self.temperature_, self.negative_weight)
