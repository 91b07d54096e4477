"""Sources of interactions and the splits that turn them into queries."""

from datasets.catalog import load
from datasets.dataset import Dataset, Features, Interactions, Queries
from datasets.ragged import Ragged

__all__ = ["Dataset", "Features", "Interactions", "Queries", "Ragged", "load"]
