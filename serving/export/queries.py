"""What every user of a dataset is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset, Queries
from retrieval_leaderboard.datasets.ragged import Ragged

BLOCK = 2**13
"""Users that are asked together"""


def blocks(dataset: Dataset) -> Iterator[Queries]:
    """A query of every user, some users at a time, without answers.

    A user with test queries is asked the first of them, whose list is the run's own. Any other is asked after
    the last training interaction, and may get seen items where the protocol keeps them; one without any has
    an empty history.
    """
    for queries in _of_all(dataset):
        for start in range(0, len(queries), BLOCK):
            yield queries.take(slice(start, start + BLOCK))


def _of_all(dataset: Dataset) -> list[Queries]:
    """Those of the test part, those of other users with training interactions, and of users without any."""
    test, train = dataset.test.without_answers(), dataset.train_valid
    known = np.flatnonzero(test.user >= 0)
    users, first = np.unique(test.user[known], return_index=True)
    others = np.ones(len(dataset.user_ids), dtype=np.bool_)
    others[users] = False
    learned = train.queries(np.flatnonzero(others & (train.user_counts > 0)))
    if not dataset.exclude_seen:
        learned = replace(learned, exclude=Ragged.empty(len(learned)))
    silent = np.flatnonzero(others & (train.user_counts == 0)).astype(np.int32)
    nothing = Ragged.empty(len(silent))
    return [test.take(known[first]), learned, Queries(silent, nothing, nothing, nothing)]
