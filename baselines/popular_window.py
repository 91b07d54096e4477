"""What was taken most often in the days before the query."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines.global_hot import SECONDS_PER_DAY
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import setting
from retrieval_leaderboard.evaluation.models.quick_fit import QuickFit
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.ranking import ties, topk
from retrieval_leaderboard.support.errors import InputError


@register("popular_window", by_default=False)
@dataclass
class PopularWindow(QuickFit):
    """Items by the number of users who took them in the last days before the query.

    The window ends where the UTC day of the query begins, or with the query where no training data lies
    before that day; for queries after the training data and those without a time, with the training data.
    Items that nobody took in it follow, by all that was taken before its end. Where interactions have
    weights, by the sum of those: the "recently popular" of Ji et al., A Re-visit of the Popularity Baseline
    in Recommender Systems, SIGIR 2020. Who took an item several times did so at the first and the last time.
    """

    days: float = setting(7.0, above=0, search=[1.0, 3.0, 7.0, 14.0, 30.0, 90.0])
    """Length of the window."""

    stochastic: ClassVar[bool] = False
    uses_weights: ClassVar[bool] = True

    # Without an annotation it is no field, and so no setting.
    _latest = cast("tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]] | None", None)

    def fit_bytes(self, train: Interactions, valid: Queries | None) -> int:
        """Rows, their order in time and what is kept in it, at 8 bytes each; of repeated pairs twice."""
        return 9 * 8 * len(train) * (1 if train.last_timestamp is None else 2)

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Sort the interactions by time.

        Raises:
            InputError: they have no times.
        """
        if train.timestamp is None:
            raise InputError(self.lacking_data(train))
        time, row = train.timestamp, np.arange(len(train))
        if train.last_timestamp is not None:
            again = np.flatnonzero(train.last_timestamp > time)
            time, row = np.append(time, train.last_timestamp[again]), np.append(row, again)
        order = np.argsort(time, kind="stable")
        place = np.argsort(order)
        self.time_, self.item_ = time[order], train.item[row[order]]
        self.weight_ = np.ones(len(row), np.float32) if train.weight is None else train.weight[row[order]]
        # Of a last time, the place of the pair's first one; else -1.
        self.first_ = np.where(order < len(train), -1, place[row[order]])
        self.n_items_ = train.n_items
        self._latest = None

    def lacking_data(self, train: Interactions) -> str:
        """Times."""
        if train.timestamp is not None:
            return ""
        return (
            f"{self.name} needs the time of each interaction, which this dataset does not have: leave the "
            "model out"
        )

    def recommend(self, queries: Queries, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The `k` most popular items that a query does not exclude; none that nobody took before."""
        ends, group = np.unique(self._ends(queries), return_inverse=True)
        if ends.tolist() == [self._last()]:
            return topk.first_allowed(*self._after_training(), queries.exclude, k)
        items, scores = topk.empty(len(queries), k)
        before, stop = np.zeros(self.n_items_), 0
        for number, end in enumerate(ends):
            start, stop = stop, int(np.searchsorted(self.time_, end))
            before += self._counts(start, stop, 0)
            order, counts = _ranked(self._within(self._opened(end), stop), before)
            rows = np.flatnonzero(group == number)
            items[rows], scores[rows] = topk.first_allowed(order, counts, queries.exclude.take(rows), k)
        return items, scores

    def _ends(self, queries: Queries) -> npt.NDArray[np.int64]:
        """int64[q]: the first second after the window of each query."""
        last, asked = self._last(), queries.timestamp
        if asked is None:
            return np.full(len(queries), last)
        day = asked // SECONDS_PER_DAY * SECONDS_PER_DAY
        first = int(self.time_[0]) if len(self.time_) else 0
        return np.where(asked >= last, last, np.where(day > first, day, asked))

    def _last(self) -> int:
        """The first second after the training data."""
        return int(self.time_[-1]) + 1 if len(self.time_) else 1

    def _opened(self, end: int) -> int:
        """The first interaction in the window before `end`."""
        # A time that is no int64 would have all others copied.
        return int(np.searchsorted(self.time_, math.ceil(end - self.days * SECONDS_PER_DAY)))

    def _after_training(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """What `_ranked` gives for queries after the training data; kept, a service asks for it each time."""
        if self._latest is None:
            stop = len(self.time_)
            within = self._within(self._opened(self._last()), stop)
            self._latest = _ranked(within, self._within(0, stop))
        return self._latest

    def _within(self, start: int, stop: int) -> npt.NDArray[np.float64]:
        return self._counts(start, stop, start)

    def _counts(self, start: int, stop: int, counted: int) -> npt.NDArray[np.float64]:
        """float64[n_items]: from `start` to `stop`, but for pairs that came from `counted` on already."""
        new = start + np.flatnonzero(self.first_[start:stop] < counted)
        return np.asarray(np.bincount(self.item_[new], self.weight_[new], self.n_items_), np.float64)

    @property
    def parameters(self) -> int:
        """First and last times of training interactions."""
        return len(self.item_)


def _ranked(
    within: npt.NDArray[np.float64], before: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Items by (count within the window, count before its end, `ties.rank`), and their counts within it."""
    known = np.flatnonzero(before)
    order = known[np.lexsort((ties.rank(known), -before[known], -within[known]))]
    return order.astype(np.int32), within[order].astype(np.float32)
