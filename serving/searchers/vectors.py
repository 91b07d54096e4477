"""Searching an index of item vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models import unseen_users
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.serving.bundles.bundle import Bundle
from retrieval_leaderboard.serving.bundles.encoding import Raw, UnknownValues
from retrieval_leaderboard.serving.indexes import VectorIndex
from retrieval_leaderboard.serving.indexes.base import Lists
from retrieval_leaderboard.serving.queries import EncodedRequest, Encoder, told_nothing
from retrieval_leaderboard.serving.searchers import unseen
from retrieval_leaderboard.serving.searchers.base import Asked, Kept, Searcher, Vectors
from retrieval_leaderboard.support.storage import pages


class VectorSearcher(Searcher):
    """An index over the item vectors of a model, searched with the vectors that it gives to queries."""

    def __init__(
        self, opened: Bundle, model: EmbeddingRetriever, index: VectorIndex, encoder: Encoder
    ) -> None:
        self.model = model
        self._index, self._encoder = index, encoder
        self._item_schema = opened.item_schema
        self._item_vectors, self._encode = pages.shared(model.encode_items()), model.online()

        def double_of(known: npt.NDArray[np.int32]) -> int | None:
            return unseen_users.double_of_vectors(model, known, opened.histories[known[0]][::-1])

        self._unseen_users_have_a_vector = unseen.have_their_own(opened, double_of, "vector", "no items")

    def ask(self, requests: Sequence[EncodedRequest]) -> Asked:
        """As `Searcher.ask`."""
        vectors, known, unknown = self._encoded(requests)
        return Asked(partial(self._search, vectors), known, unknown)

    def user_vectors(self, requests: Sequence[EncodedRequest]) -> Vectors:
        """As `Searcher.user_vectors`."""
        return self._encoded(requests)[0]

    @property
    def item_vectors(self) -> Vectors:
        """As `Searcher.item_vectors`."""
        return self._item_vectors

    def add(self, labels: npt.NDArray[np.int64], vectors: Vectors) -> None:
        """As `Searcher.add`."""
        self._index.add(labels, vectors)

    def remove(self, labels: npt.NDArray[np.int64]) -> None:
        """As `Searcher.remove`."""
        self._index.remove(labels)

    def encode_new(self, features: Raw) -> tuple[Vectors, UnknownValues]:
        """As `Searcher.encode_new`; InputError also where the model knows items by id alone."""
        encoded, (unknown_values,) = self._item_schema.encode([features])
        vectors = self.model.encode_new_items(encoded)
        if not np.isfinite(vectors).all():
            raise ValueError(f"{self.model.name} gives a new item a vector that is not finite")
        return vectors, unknown_values

    def _encoded(
        self, requests: Sequence[EncodedRequest]
    ) -> tuple[Vectors, npt.NDArray[np.bool_], list[UnknownValues]]:
        """The vectors, whether the model knows the users, and unknown feature values."""
        vectors = np.empty((len(requests), self._item_vectors.shape[1]), dtype=np.float32)
        known = np.empty(len(requests), dtype=np.bool_)
        questions, unknown = self._encoder.questions(requests)
        for rows, queries in questions:
            vectors[rows], known[rows] = self._encode(queries)
        if not self._unseen_users_have_a_vector:
            strangers = np.array([each.user < 0 for each in requests], dtype=np.bool_)
            vectors[strangers], known[strangers] = 0, False
        return vectors, known & ~told_nothing(requests, unknown), unknown

    def _search(
        self, vectors: Vectors, rows: npt.NDArray[np.int64], k: int, exclude: Ragged, kept: Kept
    ) -> Lists:
        return self._index.search(vectors[rows], k, exclude, kept)
