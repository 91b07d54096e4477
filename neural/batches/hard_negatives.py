"""Negatives that the model itself ranks high, from lists of each user that are renewed every few epochs."""

from __future__ import annotations

import numpy as np
import torch

from retrieval_leaderboard.neural.training.loop import Loop
from retrieval_leaderboard.neural.two_tower import TwoTower

DEPTH = 100
"""Length of a user's list."""
EVERY = 2
"""Epochs after which lists are made anew."""


def refresh(model: TwoTower, loop: Loop, epoch: int) -> None:
    """Rank the catalog for the training users where `epoch` is to begin with new lists.

    The first epoch has none: fresh towers rank at random.
    """
    due = model.hard_negatives and epoch > 1 and (epoch - 2) % EVERY == 0
    if not due or loop.underway is not None:
        return
    model.adopt(loop.towers, loop.train)
    users = np.flatnonzero(loop.train.user_counts)
    found, _ = model.recommend(loop.train.queries(users), DEPTH)
    lists = np.full((loop.train.n_users, DEPTH), -1, dtype=np.int32)
    lists[users] = found
    loop.batcher.hard = torch.as_tensor(lists, device=loop.device)
