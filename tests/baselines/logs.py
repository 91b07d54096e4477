"""Small random training data, and a dense view of it for slow references."""

from dataclasses import replace

import numpy as np

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import ties


def interactions(rng, n_users=80, n_items=50, density=0.15, times=False):
    """Random pairs; popular items and active users among them; some users and items have none."""
    chance = rng.random((n_users, 1)) * rng.random(n_items) * 4 * density
    chance[3], chance[:, 5] = 0, 0
    user, item = np.nonzero(rng.random((n_users, n_items)) < chance)
    timestamp = rng.integers(0, 10**8, len(user)) if times else None
    return Interactions(user.astype(np.int32), item.astype(np.int32), timestamp, n_users, n_items)


def dense(train):
    """float64[n_users, n_items]: the weight where a user took an item, 1 without weights."""
    matrix = np.zeros((train.n_users, train.n_items))
    matrix[train.user, train.item] = 1 if train.weight is None else train.weight
    return matrix


def with_weights(train, seed=0):
    """The interactions with weights of 0.25, 1 or 5."""
    weight = np.random.default_rng(seed).choice(np.array([0.25, 1, 5], np.float32), len(train))
    return replace(train, weight=weight)


def queries(train):
    """One query a user, its history the training row, which it excludes."""
    users = np.arange(train.n_users, dtype=np.int32)
    return Queries(users, train.by_user, train.by_user, Ragged.empty(train.n_users))


def largest(similarity, top_k):
    """float64[n, n]: each row's `top_k` positive entries kept, ties by `ties.rank`; the rest 0."""
    kept = np.zeros_like(similarity)
    for row, values in enumerate(similarity):
        order = sorted((-value, ties.rank(code), code) for code, value in enumerate(values) if value > 0)
        for value, _, code in order[:top_k]:
            kept[row, code] = -value
    return kept
