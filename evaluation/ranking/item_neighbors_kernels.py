"""The compiled loop over all items that users took together."""

from __future__ import annotations

import numpy as np
from numba import njit

from retrieval_leaderboard.evaluation.ranking.kernels import clear, push


@njit(cache=True, nogil=True)
def nearest(
    first, last, users, items, user_roots, item_roots, weights, own_norms, other_norms, shrinkage, top_k
):
    """The `top_k` most similar items of each of the items `first`..`last` - 1, ties by
    `ties.rank`.

    Args:
        first, last: the block of items.
        users: rows of users, one for each item, as (values, start, stop).
        items: rows of items, one for each user, as (values, start, stop).
        user_roots, item_roots: float32, square roots of the weights of the interactions beside the values of
            `users` and `items`; None, which is compiled apart, where all are 1.
        weights: float64[n_users].
        own_norms, other_norms: float64[n_items], divisors of an item as itself and as neighbor.
        shrinkage: added to the product of the two divisors.
        top_k: neighbors kept.

    Returns:
        lengths int64[b], neighbors int32[total] in no order, similarities float32[total].
    """
    n_items = len(own_norms)
    total = np.zeros(n_items, np.float64)
    touched = np.empty(n_items + 1, np.int32)
    lengths = np.empty(last - first, np.int64)
    found = np.empty((last - first, top_k), np.int32)
    scores = np.empty((last - first, top_k), np.float32)
    for item in range(first, last):
        count = 0
        for place in range(users[1][item], users[2][item]):
            user = users[0][place]
            for at in range(items[1][user], items[2][user]):
                other = items[0][at]
                # Written always and kept when new: cheaper than a branch nobody can predict.
                touched[count] = other
                count += total[other] == 0.0
                if item_roots is None:
                    total[other] += weights[user]
                else:
                    total[other] += weights[user] * (np.float64(user_roots[place]) * item_roots[at])
        row = item - first
        clear(scores[row], found[row])
        size = 0
        for other in touched[:count]:
            if other != item:
                score = total[other] / (own_norms[item] * other_norms[other] + shrinkage)
                push(np.float32(score), other, scores[row], found[row])
                size += 1
            total[other] = 0.0
        lengths[row] = min(size, top_k)
    return packed(lengths, found, scores)


@njit(cache=True, nogil=True)
def ranked(first, last, offsets, codes, sums, own_norms, other_norms, shrinkage, top_k):
    """As `nearest`, of sums that are known.

    Args:
        first, last: the block of items.
        offsets, codes, sums: all items' rows of sums, in CSR form; sums float64.
        own_norms, other_norms, shrinkage, top_k: as of `nearest`.

    Returns:
        As `nearest`.
    """
    lengths = np.empty(last - first, np.int64)
    found = np.empty((last - first, top_k), np.int32)
    scores = np.empty((last - first, top_k), np.float32)
    for item in range(first, last):
        row = item - first
        clear(scores[row], found[row])
        size = 0
        for at in range(offsets[item], offsets[item + 1]):
            other = codes[at]
            if other != item:
                score = sums[at] / (own_norms[item] * other_norms[other] + shrinkage)
                push(np.float32(score), other, scores[row], found[row])
                size += 1
        lengths[row] = min(size, top_k)
    return packed(lengths, found, scores)


@njit(cache=True, nogil=True)
def packed(lengths, found, scores):
    """The filled places of all heaps, one after the other."""
    codes = np.empty(lengths.sum(), np.int32)
    values = np.empty(lengths.sum(), np.float32)
    at = 0
    for row in range(len(lengths)):
        for place in range(found.shape[1]):
            if scores[row, place] > -np.inf:
                codes[at], values[at] = found[row, place], scores[row, place]
                at += 1
    return lengths, codes, values
