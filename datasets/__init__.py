"""Sources of interactions and the splits that turn them into queries."""

from retrieval_leaderboard.datasets.dataset import Dataset, Features, Interactions, Queries
from retrieval_leaderboard.datasets.loader import load
from retrieval_leaderboard.datasets.ragged import Ragged

__all__ = ["Dataset", "Features", "Interactions", "Queries", "Ragged", "load"]
