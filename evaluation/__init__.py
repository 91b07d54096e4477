"""The contract of a model, exact ranking, metrics, runs and their tables."""

from retrieval_leaderboard.evaluation.harness import Evaluation, evaluate, evaluate_lists
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever, ItemToItemRetriever
from retrieval_leaderboard.evaluation.models.fields import setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Retriever

__all__ = [
    "EmbeddingRetriever",
    "Evaluation",
    "ItemToItemRetriever",
    "Retriever",
    "evaluate",
    "evaluate_lists",
    "register",
    "setting",
]
