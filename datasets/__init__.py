"""Sources of interactions and the splits that turn them into queries."""

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions, Queries
from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued, Numeric
from retrieval_leaderboard.datasets.loader import load
from retrieval_leaderboard.datasets.ragged import Ragged

__all__ = [
    "Categorical",
    "Dataset",
    "Features",
    "Interactions",
    "Multivalued",
    "Numeric",
    "Queries",
    "Ragged",
    "load",
]
