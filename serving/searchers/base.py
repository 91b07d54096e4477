"""What every searcher is: answers to requests, by the labels of a catalog."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.serving.bundles.encoding import Raw, UnknownValues
from retrieval_leaderboard.serving.indexes.base import Lists
from retrieval_leaderboard.serving.queries import EncodedRequest

Vectors = npt.NDArray[np.float32]
Kept = npt.NDArray[np.bool_] | None
"""bool[labels]: the only ones that may be returned, none of them removed; None for all"""
Search = Callable[[npt.NDArray[np.int64], int, Ragged, Kept], Lists]
"""(which requests, k, labels not to return, a row for each of them, all of them kept; what a filter keeps)
→ lists, as `VectorIndex.search`"""


@dataclass(frozen=True)
class Asked:
    """Several requests as a searcher understands them."""

    search: Search
    """never beside `Searcher.add` or `Searcher.remove`"""
    known: npt.NDArray[np.bool_]
    """bool[q]: whether the model knows something of whom the request is about"""
    unknown_values: list[UnknownValues]
    """of each request: feature values that the training data does not have"""


class Searcher(ABC):
    """What a bundle finds items with. `ask` and searches may run side by side."""

    @abstractmethod
    def ask(self, requests: Sequence[EncodedRequest]) -> Asked:
        """What there is to search for; InputError for features that do not fit the training data's."""

    @abstractmethod
    def remove(self, labels: npt.NDArray[np.int64]) -> None:
        """Never return these labels again."""

    @abstractmethod
    def add(self, labels: npt.NDArray[np.int64], vectors: Vectors) -> None:
        """Put what `encode_new` gave, float32[n, d], under labels that were never used before."""

    @abstractmethod
    def encode_new(self, features: Raw) -> tuple[Vectors, UnknownValues]:
        """float32[1, d]: where an item belongs that is known by its features alone, and unknown values.

        Raises:
            InputError: no item can be added, or the features do not fit the training data's columns.
        """

    @abstractmethod
    def user_vectors(self, requests: Sequence[EncodedRequest]) -> Vectors:
        """float32[q, d]: what is searched with; InputError where that is no vector."""

    @property
    @abstractmethod
    def item_vectors(self) -> Vectors:
        """float32[items, d]: of the items trained with; InputError where they have no vectors."""
