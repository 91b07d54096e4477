"""Negatives that the model itself ranks high, from lists of each user that are renewed every few epochs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from retrieval_leaderboard.datasets.dataset import Interactions, Queries

DEPTH = 100
"""Length of a user's list."""
EVERY = 2
"""Epochs after which lists are made anew."""


def due(epoch: int) -> bool:
    """Whether `epoch` is to begin with new lists; the first has none: fresh towers rank at random."""
    return epoch > 1 and (epoch - 2) % EVERY == 0


def lists(recommend: Callable[[Queries, int], npt.NDArray[np.int32]], train: Interactions) -> torch.Tensor:
    """int32[n_users, DEPTH]: the items that each training user would be recommended, -1 for none."""
    users = np.flatnonzero(train.user_counts)
    found = np.full((train.n_users, DEPTH), -1, dtype=np.int32)
    found[users] = recommend(train.queries(users), DEPTH)
    return torch.as_tensor(found)
