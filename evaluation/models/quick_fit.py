"""Models that fit about as quickly as one finds what has changed since the last fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation.models.retriever import Retriever

if TYPE_CHECKING:
    from retrieval_leaderboard.evaluation.models.earlier import Earlier


@dataclass
class QuickFit(Retriever):
    """A model whose warm start is a fit, to the bit: it counts or keeps interactions and learns no more."""

    def warm_start(self, earlier: Earlier[Self], train: Interactions, seed: int) -> None:
        """As `fit`; of `earlier` only the settings go on."""
        self.fit(train, None, seed)
