"""Two bases that keep most of the contract for a new model: by vectors, and by similarities of items."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models import lists
from retrieval_leaderboard.evaluation.models.fields import setting
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.ranking import popularity, topk
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Vectors = npt.NDArray[np.float32]


@dataclass
class EmbeddingRetriever(Retriever):
    """A model that scores by the inner product of a query's and an item's vector."""

    @abstractmethod
    def encode_queries(self, queries: Queries) -> npt.NDArray[np.float32]:
        """float32[q, d]: a vector for each query; a zero vector ranks nothing and gets no items."""

    @abstractmethod
    def encode_items(self) -> npt.NDArray[np.float32]:
        """float32[n_items, d]: a vector for each item of the catalog; an item with a zero vector, of which
        nothing is known, is not returned.
        """

    def check_catalog(self, n_items: int) -> None:
        """Refuse item vectors of which there is not one for each item."""
        lists.check_rows("encode_items()", np.shape(self.encode_items()), n_items)

    def knows(self, queries: Queries) -> npt.NDArray[np.bool_]:
        """As `Retriever.knows`: where the vector is not zero."""
        return np.asarray(self.encode_queries(queries).any(axis=1))

    def encode_known(self, queries: Queries) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """`encode_queries` and `knows`, for models that find both at once."""
        return self.encode_queries(queries), self.knows(queries)

    def online(self) -> Callable[[Queries], tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]:
        """What a service asks in place of `encode_known`: the same to rounding, but fast."""
        return self.encode_known

    def encode_new_items(self, features: Features) -> npt.NDArray[np.float32]:
        """float32[n, d]: vectors of items known by their features alone.

        Raises:
            InputError: the model knows items by their id alone.
        """
        raise InputError(f"{self.name} knows items by their id alone and cannot place a new item")

    def recommend(self, queries: Queries, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The `k` items of largest inner product with each query, exactly; ties by `ties.rank`."""
        vectors = self.encode_queries(queries)
        asked = np.flatnonzero(vectors.any(axis=1))
        if len(asked) == len(vectors):
            return _ranked(vectors, self.encode_items(), queries.exclude, k)
        lists = topk.empty(len(queries), k)
        found = _ranked(vectors[asked], self.encode_items(), queries.exclude.take(asked), k)
        lists[0][asked], lists[1][asked] = found
        return lists


def _ranked(vectors: Vectors, items: Vectors, exclude: Ragged, k: int) -> topk.TopK:
    """As `topk.inner_product`, without items whose vector is zero."""
    found, scores = topk.inner_product(vectors, items, exclude, k)
    listed = np.flatnonzero(np.bincount(found[found >= 0], minlength=len(items)))
    if items[listed].any(axis=1).all():
        return found, scores
    # They score 0, above what a query is no match for. Few lists hold any: most catalogs need no copy.
    known = np.asarray(items.any(axis=1))
    if not known.any():
        return topk.empty(len(vectors), k)
    place = np.cumsum(known, dtype=np.int32) - 1
    rest = exclude.only(known)
    rest = replace(rest, values=place[rest.values])
    found, scores = topk.inner_product(vectors, items[known], rest, k)
    return np.where(found < 0, np.int32(-1), np.flatnonzero(known).astype(np.int32)[found]), scores


@dataclass
class ItemToItemRetriever(Retriever):
    """A model that scores an item by its similarities to the history's items, summed.

    Its `fit` sets `similarity_`, and may set `recency_` and `popular_`.
    """

    last_n: int = setting(0, at_least=0)
    """Use only the last n items of a history; 0 uses all of them."""

    # Without an annotation it is no field, and so no setting.
    similarity_ = cast("csr_array", None)
    """float32[n_items, n_items], set by `fit`: row = item of the history, column = item returned"""
    recency_ = 0.0
    """The r-th item from the end of a history weighs r^-recency_"""
    popular_ = cast("npt.NDArray[np.int32] | None", None)
    """int32[m]: what fills the places that are left, best first, such as `popularity.ranked`; None for
    nothing"""
    _checked = cast("csr_array", None)
    """The similarities that were found finite: reading all takes longer than answering one query"""

    def check_catalog(self, n_items: int) -> None:
        """Refuse similarities that are not of all items with all."""
        lists.check_rows("similarity_", self.similarity_.shape, n_items, n_items)

    def recommend(self, queries: Queries, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The `k` items of largest summed similarity to each history; ties by `ties.rank`.

        Items similar to nothing in the history come after all others, in the order of `popular_`.
        """
        if self._checked is not self.similarity_:
            topk.check_similarity(self.similarity_)
            self._checked = self.similarity_
        lists = topk.summed(self._used(queries), self.similarity_, queries.exclude, k, self.recency_)
        return lists if self.popular_ is None else popularity.filled(lists, self.popular_, queries.exclude)

    def knows(self, queries: Queries) -> npt.NDArray[np.bool_]:
        """As `Retriever.knows`: where an item of the history is similar to any."""
        history = self._used(queries)
        items, _ = history.compact()
        similar = self.similarity_.indptr[items + 1] > self.similarity_.indptr[items]
        return np.bincount(history.rows()[similar], minlength=len(queries)) > 0

    def _used(self, queries: Queries) -> Ragged:
        """What counts of the histories."""
        return queries.history.last(self.last_n) if self.last_n else queries.history

    @property
    def parameters(self) -> int:
        """Similarities kept."""
        return int(self.similarity_.nnz)
