"""Searchers: what a bundle answers with, behind one interface."""

from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.serving.bundles.bundle import Bundle
from retrieval_leaderboard.serving.queries import Encoder
from retrieval_leaderboard.serving.searchers.base import Searcher
from retrieval_leaderboard.serving.searchers.own import OwnRanking
from retrieval_leaderboard.serving.searchers.vectors import VectorSearcher

__all__ = ["Searcher", "of"]


def of(opened: Bundle, encoder: Encoder) -> Searcher:
    """What answers from an opened bundle: its index, or its model where there is none."""
    if isinstance(opened.model, EmbeddingRetriever) and opened.index is not None:
        return VectorSearcher(opened, opened.model, opened.index, encoder)
    return OwnRanking(opened, encoder)
