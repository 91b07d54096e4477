"""Metrics by name: a function under a decorator, in any file of `definitions/`, is all that a new one needs.

A per-query metric has a column in `Evaluation.per_query`, in every slice, in leaderboard.csv and, where it
says so, on its board's page. A list-level metric, which has no value for one query, stands in
`Evaluation.metrics` and in leaderboard.csv.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions

Function = TypeVar("Function", bound=Callable[..., object])


@dataclass(frozen=True)
class Hits:
    """The first k positions of the lists against the relevant items of q queries."""

    hit: npt.NDArray[np.float64]
    """float64[q, min(k, m)]: 1 where a position of a list of m holds a relevant item"""
    relevant: npt.NDArray[np.float64]
    """float64[q]: relevant items of a query; NaN where it has none"""
    k: int

    @property
    def found(self) -> npt.NDArray[np.float64]:
        """float64[q]: hits of each list."""
        return self.hit.sum(axis=1)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """bool[q]: whether a query has relevant items."""
        return ~np.isnan(self.relevant)


PerQueryFunction = Callable[[Hits], npt.NDArray[np.float64]]
ListFunction = Callable[[npt.NDArray[np.int32], Interactions], float]


@dataclass(frozen=True)
class Metric(Generic[Function]):
    """A metric and how pages call it."""

    name: str
    title: str
    function: Function
    on_board: bool = False
    """Whether a board's page has a column for it; leaderboard.csv has one in any case"""


PER_QUERY: dict[str, Metric[PerQueryFunction]] = {}
LIST_LEVEL: dict[str, Metric[ListFunction]] = {}


def per_query(
    name: str, title: str, on_board: bool = False
) -> Callable[[PerQueryFunction], PerQueryFunction]:
    """Register a function from `Hits` to float64[q], NaN for a query without relevant items."""

    def add(function: PerQueryFunction) -> PerQueryFunction:
        PER_QUERY[name] = Metric(name, title, function, on_board)
        return function

    return add


def list_level(name: str, title: str) -> Callable[[ListFunction], ListFunction]:
    """Register a function from all lists, int32[q, k] with -1 where empty, and what models learned from.

    It gives NaN where there is nothing to measure.
    """

    def add(function: ListFunction) -> ListFunction:
        LIST_LEVEL[name] = Metric(name, title, function)
        return function

    return add
