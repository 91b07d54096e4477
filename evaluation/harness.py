"""From a fitted model, or from given lists, to metrics."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.metrics import given_lists, measure
from retrieval_leaderboard.evaluation.metrics.curve import ndcg_curve
from retrieval_leaderboard.evaluation.metrics.slices import Slice, slices
from retrieval_leaderboard.evaluation.models import lists, settings
from retrieval_leaderboard.evaluation.models.earlier import Earlier
from retrieval_leaderboard.evaluation.models.limits import check_bytes, check_memory
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.planted import planted, weighted
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import memory

if TYPE_CHECKING:
    import pandas as pd

POSITION_BYTES = 64
"""Of memory that ranking and scoring take at most for a position of a list"""


@dataclass(frozen=True)
class Evaluation:
    """Lists and what they are worth."""

    k: int
    items: npt.NDArray[np.int32]
    """int32[q, longest k] item codes, best first, -1 for an empty position"""
    per_query: dict[str, npt.NDArray[np.float64]]
    """metric → float64[q]"""
    list_level: dict[str, float]
    """metric that has no value for one query, such as coverage → number"""
    recommend_seconds: float
    """time the model took for the lists; 0 for lists made elsewhere"""
    slices: list[Slice]
    """metrics of parts of the queries and of the truth"""
    curve: tuple[float, ...]
    """NDCG of the first 1, 2, … k items of the lists, to six decimals"""
    at: dict[int, dict[str, float]] = field(default_factory=dict)
    """another k → each metric, as `metrics`"""

    @property
    def metrics(self) -> dict[str, float]:
        """Each per-query metric's mean over queries, and each list-level metric."""
        return measure.mean(self.per_query) | self.list_level

    def frame(self) -> pd.DataFrame:
        """One row for all queries and one a slice; a column a metric."""
        import pandas as pd

        everything = Slice("all", len(self.items), self.metrics)
        rows = [
            {"slice": each.slice, "queries": each.queries, **each.metrics}
            for each in (everything, *self.slices)
        ]
        return pd.DataFrame(rows).set_index("slice")


def fit(model: Retriever, data: Dataset, seed: int) -> None:
    """Fit as every run does: choose on the validation part, where there is one and a model does, then learn
    from all.

    What settings leave to a rule is resolved once, on the training part, and stays so in both fits.

    Raises:
        InputError: as `check_memory`, or what the model says.
    """
    valid = data.valid if len(data.valid) else None
    for name, value in model.resolve(data.train, valid).items():
        setattr(model, name, value)
    check_memory(model, data.train_valid, None)
    if model.chooses_on_validation and valid is not None:
        model.fit(data.train, valid, seed)
    model.fit(data.train_valid, None, seed)


def warm_start(model: Retriever, earlier: Retriever, then: Dataset, now: Dataset, seed: int) -> None:
    """Have `model`, whose settings are resolved, go on from the fit of `earlier` on `then`.

    Raises:
        InputError: as `check_memory`, or what the model says.
    """
    check_bytes(model, now.train_valid, model.warm_start_bytes(now.train_valid))
    model.warm_start(Earlier.of(earlier, then, now), now.train_valid, seed)


def warm_up(
    model: type[Retriever], values: Mapping[str, Any], with_weights: bool = False, again: bool = False
) -> None:
    """Use `model` once on tiny data, so that compiling and loading stay out of measured time.

    A setting that only the real data can answer, such as the name of a column, is left to the real fit.

    Args:
        model: whose settings `values` are.
        values: every setting.
        with_weights: whether interactions have weights, for which models compile other code.
        again: whether the model is to go on from an earlier fit.
    """
    data = weighted(planted()) if with_weights else planted()
    fitted = settings.build(model, values)
    try:
        fit(fitted, data, seed=0)
    except InputError:
        return
    for _ in range(2 * again):  # Twice, for what the first warm start keeps for the next one.
        later = settings.build(model, values)
        warm_start(later, fitted, data, data, seed=0)
        fitted = later
    fitted.recommend(data.test, 5)


def evaluate(model: Retriever, dataset: Dataset, k: int = 20, also: Sequence[int] = ()) -> Evaluation:
    """Rank the whole catalog for every test query with a fitted model.

    Args:
        model: fitted.
        dataset: with the test queries.
        k: how many positions count.
        also: other such numbers to have metrics of: lists are as long as the largest.

    Raises:
        InputError: as `length`.
        InvalidListsError: the model broke the contract of `Retriever.recommend`.
    """
    k, *also = lengths([k, *also], dataset)
    longest = max([k, *also])
    model.check_catalog(dataset.train_valid.n_items)
    started = time.perf_counter()
    items, scores = model.recommend(dataset.test.without_answers(), longest)
    seconds = time.perf_counter() - started
    lists.check(items, scores, dataset.test, longest, dataset.train_valid.n_items)
    return score(items, dataset, k, seconds, also)


def evaluate_lists(given: given_lists.Given, dataset: Dataset, k: int = 20) -> Evaluation:
    """Score lists made elsewhere.

    Args:
        given: raw item ids, best first: a mapping from raw user id where a user has one query, or
            one list a test query, in the order of `dataset.test`. An id that the catalog lacks
            keeps its position and counts as a miss, and so does a user without a list. Whole numbers
            stand for their digits.
        dataset: whose test queries the lists answer.
        k: how many positions count; cut to the size of the catalog.

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
    return score(items, dataset, k)


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
    need, free = queries * length * POSITION_BYTES, memory.available()
    if need > free:
        raise InputError(
            f"{queries:,} lists of {length:,} items need about {need >> 20:,} MiB of memory, "
            f"{free >> 20:,} MiB are free: lower k"
        )
    return length


def lengths(given: Sequence[int], dataset: Dataset) -> list[int]:
    """Each of `given` by `length`, the first of equal ones."""
    return list(dict.fromkeys(length(k, dataset) for k in given))


def score(
    items: npt.NDArray[np.int32], dataset: Dataset, k: int, seconds: float = 0.0, also: Sequence[int] = ()
) -> Evaluation:
    """Every metric of lists that answer the test queries.

    Args:
        items: int32[q, longest k] item codes, best first, -1 for an empty position; they are not checked.
        dataset: whose test queries they answer.
        k: how many positions count.
        seconds: what the lists took.
        also: other such numbers.
    """
    queries, train = dataset.test, dataset.train_valid
    scored = measure.per_query(items, queries.relevant, k)
    of_lists = measure.list_level(items[:, :k], train)
    others = {
        other: measure.mean(measure.per_query(items, queries.relevant, other))
        | measure.list_level(items[:, :other], train)
        for other in also
    }
    parts = slices(items[:, :k], queries, train, k)
    curve = tuple(ndcg_curve(items, queries.relevant, k).round(6).tolist())
    return Evaluation(k, items, scored, of_lists, seconds, parts, curve, others)
