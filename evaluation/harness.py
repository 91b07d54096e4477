"""From a fitted model, or from given lists, to metrics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.metrics import accuracy, given_lists
from retrieval_leaderboard.evaluation.metrics.slices import Slice, slices
from retrieval_leaderboard.evaluation.models import lists
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support import memory, progress
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

PLACE_BYTES = 64
"""Of memory that ranking and scoring take at most for a place of a list"""


@dataclass(frozen=True)
class Evaluation:
    """Lists and what they are worth."""

    k: int
    items: npt.NDArray[np.int32]
    """int32[q, k] item codes, best first, -1 for an empty place"""
    per_query: dict[str, npt.NDArray[np.float64]]
    """metric → float64[q]"""
    recommend_seconds: float
    """time the model took for the lists; 0 for lists made elsewhere"""
    slices: list[Slice]
    """metrics of parts of the queries and of the truth, as `slices.slices` gives them"""

    @property
    def metrics(self) -> dict[str, float]:
        """Each metric's mean over queries."""
        return accuracy.mean(self.per_query)

    def frame(self) -> pd.DataFrame:
        """One row for all queries and one a slice; a column a metric."""
        import pandas as pd

        everything = {"slice": "all", "queries": len(self.items), **self.metrics}
        table = pd.DataFrame([everything, *self.slices]).set_index("slice")
        return table[["queries", *accuracy.METRICS]]


def evaluate(model: Retriever, dataset: Dataset, k: int = 20) -> Evaluation:
    """Rank the whole catalog for every test query with a fitted model.

    Raises:
        InputError: as `length`.
        InvalidListsError: the model broke the contract of `Retriever.recommend`.
    """
    k = length(k, dataset)
    started = time.perf_counter()
    items, scores = model.recommend(dataset.test, k)
    seconds = time.perf_counter() - started
    lists.check(items, scores, dataset.test, k, dataset.train_valid.n_items)
    return _score(items, dataset, k, seconds)


def evaluate_lists(given: given_lists.Given, dataset: Dataset, k: int = 20) -> Evaluation:
    """Score lists made elsewhere.

    Args:
        given: raw item ids, best first: a mapping from raw user id where a user has one query, or
            one list a test query, in the order of `dataset.test`. An id that the catalog lacks
            keeps its place and counts as a miss, and so does a user without a list. Whole numbers
            stand for their digits.
        dataset: whose test queries the lists answer.
        k: how many places count; cut to the size of the catalog.

    Raises:
        InputError: lists that do not fit the queries, or hold repeated or excluded items or what is no
            id; a user whom the dataset lacks; no id at all that the catalog has; or as `length`.
    """
    k = length(k, dataset)
    items = given_lists.coded(given, dataset, k)
    try:
        lists.check_items(items, dataset.test)
    except lists.InvalidListsError as error:
        raise InputError(f"the given lists cannot be scored: {error}") from error
    return _score(items, dataset, k, seconds=0.0)


def length(k: int, dataset: Dataset) -> int:
    """How long lists of `k` items can be: no longer than the catalog, which is said in a line.

    Raises:
        InputError: `k` is no whole number from 1, or lists of that length do not fit into memory.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k is {k}; give a whole number of at least 1")
    n_items, queries = dataset.train_valid.n_items, len(dataset.test)
    if k > n_items:
        progress.say(f"k is cut from {k:,} to {n_items:,}: {dataset.name} has no more items")
    length = min(int(k), n_items)
    need, free = queries * length * PLACE_BYTES, memory.available()
    if need > free:
        raise InputError(
            f"{queries:,} lists of {length:,} items need about {need >> 20:,} MiB of memory, "
            f"{free >> 20:,} MiB are free: lower k"
        )
    return length


def _score(items: npt.NDArray[np.int32], dataset: Dataset, k: int, seconds: float) -> Evaluation:
    queries = dataset.test
    scored = accuracy.per_query(items, queries.relevant, k)
    return Evaluation(k, items, scored, seconds, slices(items, queries, dataset.train_valid, k))
