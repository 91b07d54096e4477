"""From a fitted model, or from given lists, to metrics."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from datasets.dataset import Dataset
from evaluation import lists, metrics
from evaluation.retriever import Retriever
from evaluation.slices import Slice, slices
from support.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


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
        return metrics.mean(self.per_query)

    def frame(self) -> pd.DataFrame:
        """One row for all queries and one a slice; a column a metric."""
        import pandas as pd

        everything = {"slice": "all", "queries": len(self.items), **self.metrics}
        table = pd.DataFrame([everything, *self.slices]).set_index("slice")
        return table[["queries", *metrics.METRICS]]


def evaluate(model: Retriever, dataset: Dataset, k: int = 20) -> Evaluation:
    """Rank the whole catalogue for every test query with a fitted model.

    Raises:
        InvalidListsError: the model broke the contract of `Retriever.recommend`.
    """
    started = time.perf_counter()
    items, scores = model.recommend(dataset.test, k)
    seconds = time.perf_counter() - started
    lists.check(items, scores, dataset.test, k, dataset.train_valid.n_items)
    return _score(items, dataset, k, seconds)


def evaluate_lists(
    given: Mapping[str, Sequence[str]] | Sequence[Sequence[str]], dataset: Dataset, k: int = 20
) -> Evaluation:
    """Score lists made elsewhere.

    Args:
        given: raw item ids, best first: a mapping from raw user id where a user has one query, or
            one list a test query, in the order of `dataset.test`. An id that the catalogue lacks
            keeps its place and counts as a miss, and so does a user without a list.
        dataset: whose test queries the lists answer.
        k: how many places count.

    Raises:
        InputError: lists that do not fit the queries, or hold repeated or excluded items; a user whom
            the dataset lacks.
    """
    rows = _rows(given, dataset)
    codes = {raw: code for code, raw in enumerate(dataset.item_ids)}
    items = np.full((len(rows), k), -1, dtype=np.int32)
    for query, row in enumerate(rows):
        for place, raw in enumerate(row[:k]):
            items[query, place] = codes.get(str(raw), -1)
    try:
        lists.check_items(items, dataset.test)
    except lists.InvalidListsError as error:
        raise InputError(f"the given lists cannot be scored: {error}") from error
    return _score(items, dataset, k, seconds=0.0)


def _rows(
    given: Mapping[str, Sequence[str]] | Sequence[Sequence[str]], dataset: Dataset
) -> list[Sequence[str]]:
    users = dataset.test.user
    if not isinstance(given, Mapping):
        if len(given) != len(users):
            raise InputError(f"{len(given)} lists were given for {len(users)} test queries; give one a query")
        return list(given)
    if len(np.unique(users)) != len(users):
        raise InputError("a user has several test queries here; give one list a query, in their order")
    by_user = {str(user): row for user, row in given.items()}
    strangers = sorted(by_user.keys() - set(map(str, dataset.user_ids)))
    if strangers:
        raise InputError(
            f"lists were given for {len(strangers)} users that {dataset.name} lacks, such as "
            f"'{strangers[0]}'; give raw user ids, as in its files"
        )
    return [by_user.get(str(dataset.user_ids[user]), ()) for user in users]


def _score(items: npt.NDArray[np.int32], dataset: Dataset, k: int, seconds: float) -> Evaluation:
    queries = dataset.test
    scored = metrics.per_query(items, queries.relevant, k)
    return Evaluation(k, items, scored, seconds, slices(items, queries, dataset.train_valid, k))
