"""Some users of a log, by whom what is told before a fit is reckoned without a pass over all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged

MOST = 1_000_000
"""Interactions of the users drawn, about"""


@dataclass(frozen=True)
class SampledUsers:
    """Users of a log, with all that each of them took."""

    log: Interactions
    """Of these users, whose codes are their places in `users`"""
    users: npt.NDArray[np.int32]
    """int32[m], ascending: their codes in the whole log"""
    share: float
    """Of all interactions: those of `log`; 1 where all users were drawn"""

    @classmethod
    def of(cls, train: Interactions) -> SampledUsers:
        """Users of `train`, drawn at random, the same ones each time; all where interactions are few."""
        if len(train) <= MOST:
            return cls(train, np.arange(train.n_users, dtype=np.int32), 1.0)
        size = max(train.n_users * MOST // len(train), 1)
        drawn = np.random.default_rng(0).choice(train.n_users, size, replace=False)
        users = np.sort(drawn).astype(np.int32)
        # Of the type that is searched: NumPy would copy the log into another.
        start, stop = (
            np.searchsorted(train.user, users, side).astype(np.int64) for side in ("left", "right")
        )
        item, offsets = Ragged(train.item, start, stop).compact()
        kept = np.repeat(start - offsets[:-1], stop - start) + np.arange(len(item))
        weight = None if train.weight is None else train.weight[kept]
        user = np.repeat(np.arange(size, dtype=np.int32), stop - start)
        log = Interactions(user, item, None, size, train.n_items, train.ordered, weight=weight)
        return cls(log, users, len(item) / len(train))
