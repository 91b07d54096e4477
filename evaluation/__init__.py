"""The contract of a model, exact ranking, metrics, runs and their tables."""

from evaluation.harness import Evaluation, evaluate, evaluate_lists
from evaluation.registry import register
from evaluation.retriever import EmbeddingRetriever, ItemToItemRetriever, Retriever

__all__ = [
    "EmbeddingRetriever",
    "Evaluation",
    "ItemToItemRetriever",
    "Retriever",
    "evaluate",
    "evaluate_lists",
    "register",
]
