"""The compiled loop over the users who share items with a history."""

from __future__ import annotations

import numpy as np
from numba import njit

from retrieval_leaderboard.evaluation.ranking.kernels import clear, finish, push

LEAST = 1e-280
"""Weight of an item of a history, at least: that a user was met is known by a sum above 0"""


@njit(cache=True, nogil=True)
def recommend(
    asking, history, exclude, users, items, user_roots, item_roots, item_weight, user_norm, target_weight,
    recency, shrinkage, amplification, top_k, found, scores,
):  # fmt: skip
    """The best items of each query, by its nearest users; ties by `ties.rank`.

    Args:
        asking: int32[b], users who ask, -1 for an unseen one: their own rows are no neighbors.
        history, exclude: rows of items, one a query, as (values, start, stop).
        users: rows of users, one an item.
        items: rows of items, one a user.
        user_roots, item_roots: float32, √w of the interactions beside the values of `users` and `items`;
            None, which is compiled apart, where all are 1.
        item_weight, target_weight: float64[n_items].
        user_norm: float64[n_users].
        recency, shrinkage, amplification, top_k: as of `UserKNN`.
        found: int32[b, k], filled.
        scores: float32[b, k], filled.
    """
    n_items, n_users = len(item_weight), len(user_norm)
    shared, met = np.zeros(n_users, np.float64), np.empty(n_users + 1, np.int32)
    total, touched = np.zeros(n_items, np.float64), np.empty(n_items + 1, np.int32)
    state = np.zeros(n_items, np.uint8)  # 1: touched, 2: excluded
    near, nearness = np.empty(top_k, np.int32), np.empty(top_k, np.float32)
    for r in range(len(asking)):
        count = _similar(r, history, users, user_roots, item_weight, recency, shared, met)
        norm = np.sqrt(np.float64(max(history[2][r] - history[1][r], 1)))
        clear(nearness, near)
        for user in met[:count]:
            if user != asking[r]:
                similarity = shared[user] / (norm * user_norm[user] + shrinkage)
                push(np.float32(similarity**amplification), user, nearness, near)
            shared[user] = 0.0
        count = _taken(near, nearness, items, item_roots, total, touched, state)
        for item in exclude[0][exclude[1][r] : exclude[2][r]]:
            state[item] |= 2
        clear(scores[r], found[r])
        for item in touched[:count]:
            if state[item] == 1:
                push(np.float32(total[item] * target_weight[item]), item, scores[r], found[r])
        finish(scores[r], found[r])
        for item in touched[:count]:
            total[item] = 0.0
            state[item] = 0
        for item in exclude[0][exclude[1][r] : exclude[2][r]]:
            state[item] = 0


@njit(cache=True, nogil=True, inline="always")
def _similar(r, history, users, roots, item_weight, recency, shared, met):
    """Fill `shared` for the users `met` who share an item with history `r`; how many they are."""
    count = 0
    for place in range(history[1][r], history[2][r]):
        seen = history[0][place]
        weight = item_weight[seen] * np.float64(history[2][r] - place) ** -recency
        weight = max(weight, LEAST)
        for at in range(users[1][seen], users[2][seen]):
            user = users[0][at]
            # Written always and kept when new: cheaper than a branch nobody can predict.
            met[count] = user
            count += shared[user] == 0.0
            if roots is None:
                shared[user] += weight
            else:
                shared[user] += weight * roots[at]
    return count


@njit(cache=True, nogil=True, inline="always")
def _taken(near, nearness, items, roots, total, touched, state):
    """Fill `total` for the items `touched` that the nearest users took; how many they are."""
    count = 0
    for place in range(len(near)):
        if nearness[place] > -np.inf:
            user = near[place]
            for at in range(items[1][user], items[2][user]):
                item = items[0][at]
                touched[count] = item
                count += state[item] == 0
                state[item] = 1
                if roots is None:
                    total[item] += nearness[place]
                else:
                    total[item] += nearness[place] * roots[at]
    return count
