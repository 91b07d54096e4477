"""Two towers of which the user's is a causal transformer over whole sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.neural import auto_settings
from retrieval_leaderboard.neural.two_tower import TwoTower

if TYPE_CHECKING:
    from torch import Tensor

    from retrieval_leaderboard.neural.batches.batcher import Batch
    from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule


@register("sasrec", by_default=False)
@dataclass
class SasRec(TwoTower):
    """SASRec (Kang & McAuley 2018, arXiv 1808.09781) with a loss over many negatives.

    A training example is a sequence of which every item is predicted from those before it.
    """

    similarity: Literal["cosine", "dot"] = "dot"
    shared_history: bool = True
    neighbors: int | Auto = setting(AUTO, at_least=0)
    neighbor_weight: float = setting(5.0, above=0)
    features: bool | Auto = setting(False, search=[False, True])
    id_dropout: float | Auto = setting(0.0, at_least=0, below=1, search=[0.0, 0.05, 0.1, 0.2])
    max_history: int = setting(200, at_least=1)
    attention_heads: int = setting(2, at_least=1, search=[1, 2, 4])
    attention_layers: int = setting(2, at_least=1, search=[1, 2, 3])  # type: ignore[misc]
    """Layers of causal."""
    dropout: float | Auto = setting(  # type: ignore[assignment]
        AUTO, at_least=0, below=1, search=[AUTO, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    )
    """Share of the hidden outputs, and of what causal and its layers begin with or add, that training sets to
    zero. Auto takes 0.2 where users have 15 interactions on average, else 0.5."""
    user_exponent: float = setting(0.0, search=(0.0, 1.0))
    batch_size: int = setting(128, at_least=1, search=[64, 128, 256])
    learning_rate: float = setting(0.01, above=0, search=(0.003, 0.03, "log"))
    loss: Literal["softmax", "gbce"] = setting("softmax", search=["softmax", "gbce"])
    """Softmax of the target among the negatives, or gSASRec's generalized binary cross-entropy (Petrov &
    Macdonald 2023, arXiv 2308.07192)."""
    every_negative: bool = False  # type: ignore[misc]
    """Compare with all items that have training interactions instead of drawing `negatives`: for softmax the
    full cross-entropy, for a catalog that is small."""
    negatives: int = setting(512, at_least=0, search=[256, 512, 1024])
    logq_correction: bool = True
    """Subtract the log probability of a negative to be in the sample from its score, for softmax."""
    temperature: float = setting(1.0, above=0)
    """τ: scores are divided by it."""
    calibration: float = setting(0.75, at_least=0, at_most=1, search=[0.0, 0.5, 0.75, 0.9, 1.0])
    """t of gbce: 1 for scores as of all negatives, 0 for plain binary cross-entropy."""

    rules: ClassVar[dict[str, Rule]] = TwoTower.rules | {
        "examples": auto_settings.sequences,
        "dropout": auto_settings.sequence_dropout,
    }

    @classmethod
    def unread(cls, settings: Mapping[str, Any]) -> frozenset[str]:
        """Also what the other loss needs."""
        corrects = settings.get("loss") != "gbce"
        without = {"calibration"} if corrects else {"logq_correction"}
        if settings.get("every_negative"):
            without.add("logq_correction")  # What is there in any case has the probability 1.
        return super().unread(settings) | without

    def without_effect(self, train: Interactions, valid: Queries) -> frozenset[str]:
        """Also how negatives are drawn where all items are."""
        drawing = {"negatives", "negative_exponent", "cold_negatives"} if self.every_negative else set()
        return super().without_effect(train, valid) | drawing

    def pair_loss(self, positive: Tensor, negative: Tensor, batch: Batch, towers: TwoTowerModule) -> Tensor:
        """Softmax or generalized binary cross-entropy of each pair."""
        from retrieval_leaderboard.neural import losses

        if self.loss == "gbce":
            others = max(len(towers.item_known) - 1, 1)
            scores = positive / self.temperature, negative / self.temperature
            return losses.generalized_bce(*scores, batch.row, batch.negatives, others, self.calibration)
        log_q = batch.log_q if self.logq_correction else None
        return losses.sampled_softmax(positive, negative, batch.row, self.temperature, log_q)
