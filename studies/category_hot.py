"""What knowing an item's category alone is worth: the reference for models that reach cold items.

python run_all.py --dataset ml-1m --protocol cold-items --model studies/category_hot.py:CategoryHot
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.features import Categorical, Features, Multivalued
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.evaluation.engines.local import in_threads
from retrieval_leaderboard.evaluation.models.quick_fit import QuickFit
from retrieval_leaderboard.evaluation.ranking import ties
from retrieval_leaderboard.support.errors import InputError, unknown

if TYPE_CHECKING:
    from scipy.sparse import csr_array

KNOWN_COLUMNS = ("cate_id", "genres")
"""AliEC's and MovieLens's"""
BLOCK_QUERIES = 1024

Column = npt.NDArray[np.int32] | Ragged
"""The code of each item, or its codes"""


@dataclass
class CategoryHot(QuickFit):
    """Popularity within the item's category, for the categories of the history.

    score(query, i) = mean over the categories c of item i of share(query, c) · popularity(i | c)

    share(query, c) is the share of c in the history, an item of several categories counting for
    each in equal parts, after `smoothing` items with the shares of all training interactions have been
    added to the history. popularity(i | c) is item i's share of the training interactions of c;
    an item without any counts as an average item of c that has some.
    """

    category: str = "auto"
    """Column of the item features; "auto" takes cate_id or genres, else the first with codes"""
    smoothing: float = 1.0
    """Items that the shares of all training interactions count as in a history"""

    name: ClassVar[str] = "category_hot"
    stochastic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.smoothing > 0:
            raise InputError(f"category_hot.smoothing must be above 0, not {self.smoothing}")

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        counts = train.item_counts.astype(np.float64)  # (items,)
        self.categories_ = _memberships(self._column(train.item_features), train.n_items)
        self.popularity_ = _popularity(self.categories_, counts)
        shares = self.categories_.T @ counts / max(len(train), 1)  # (categories,)
        self.prior_ = self.popularity_.T @ shares  # (items,)
        self.order_ = np.lexsort((ties.rank(np.arange(train.n_items)), -self.prior_)).astype(np.int32)

    def _column(self, features: Features | None) -> Column:
        columns: dict[str, Column] = {
            name: column.codes
            for name, column in (features or Features()).columns.items()
            if isinstance(column, Categorical | Multivalued)
        }
        if not columns:
            raise InputError("category_hot needs item features with categories, and this dataset has none")
        if self.category == "auto":
            return columns[next((name for name in KNOWN_COLUMNS if name in columns), next(iter(columns)))]
        if self.category not in columns:
            raise unknown("item feature for category_hot.category", self.category, columns)
        return columns[self.category]

    def recommend(self, queries: Queries, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        from retrieval_leaderboard.studies.category_kernels import rank

        found = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        popularity = self.popularity_.indptr, self.popularity_.indices, self.popularity_.data

        def work(start: int, stop: int) -> None:
            asked = queries.take(slice(start, stop))
            shares = self._shares(asked.history)
            prior_weight = self.smoothing / (asked.history.lengths + self.smoothing)
            exclude = asked.exclude.values, asked.exclude.start, asked.exclude.stop
            rank(
                (shares.indices, shares.data, shares.indptr), prior_weight, exclude, popularity,
                self.prior_, self.order_, found[start:stop], scores[start:stop],
            )  # fmt: skip

        if k > 0:
            for _ in in_threads(work, len(queries), BLOCK_QUERIES):
                pass
        return found, scores

    def _shares(self, history: Ragged) -> csr_array:
        """float64[q, categories]: the histories' part of share(query, c)."""
        from scipy.sparse import csr_array

        items, offsets = history.compact()
        weight = 1 / (history.lengths + self.smoothing)  # (queries,)
        shape = (len(history), self.categories_.shape[0])
        return csr_array((np.repeat(weight, history.lengths), items, offsets), shape=shape) @ self.categories_

    @property
    def parameters(self) -> int:
        return int(self.popularity_.nnz)

    @property
    def reaches_cold_items(self) -> bool:
        return True


def _memberships(column: Column, n_items: int) -> csr_array:
    """float64[n_items, categories]: 1 / n for each of an item's n categories; 0, "unknown", for none."""
    from scipy.sparse import csr_array

    if not isinstance(column, Ragged):
        column = Ragged.from_offsets(column, np.arange(n_items + 1))
    lengths = np.maximum(column.lengths, 1)
    offsets = offsets_of(lengths)
    codes = np.zeros(offsets[-1], dtype=np.int32)
    codes[np.repeat(column.lengths > 0, lengths)] = column.compact()[0]
    shape = (n_items, int(codes.max(initial=0)) + 1)
    return csr_array((np.repeat(1 / lengths, lengths), codes, offsets), shape=shape)


def _popularity(memberships: csr_array, counts: npt.NDArray[np.float64]) -> csr_array:
    """float64[categories, n_items]: popularity(i | c) over the number of item i's categories.

    Args:
        memberships: float64[n_items, categories].
        counts: float64[n_items], training interactions of each item.
    """
    members = memberships.T.tocsr()
    category = np.repeat(np.arange(members.shape[0]), np.diff(members.indptr))  # (memberships,)
    taken = counts[members.indices]
    n_taken = np.bincount(category[taken > 0], minlength=members.shape[0])
    sums = np.bincount(category, taken, minlength=members.shape[0])
    average = np.where(n_taken > 0, sums / np.maximum(n_taken, 1), 1.0)  # (categories,)
    filled = np.where(taken > 0, taken, average[category])
    members.data *= filled / np.bincount(category, filled, minlength=members.shape[0])[category]
    return members
