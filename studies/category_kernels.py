"""The compiled loop of popularity within the item's category."""

from __future__ import annotations

import numpy as np
from numba import njit

from retrieval_leaderboard.evaluation.ranking.kernels import EXCLUDED, TOUCHED, clear, finish, push


@njit(cache=True, nogil=True)
def rank(history, prior_weight, exclude, popularity, prior, order, items, scores):
    """The items of largest Σ weight · popularity over a row's categories, plus prior_weight · prior.

    Args:
        history: rows of categories with their weights, as (categories, weights, offsets).
        prior_weight: float64[b].
        exclude: rows of items not to return, as (values, start, stop).
        popularity: float64[n_categories, n_items] in CSR form, as (indptr, indices, data).
        prior: float64[n_items], what an item has whatever the history.
        order: int32[n_items], items by falling `prior`.
        items: int32[b, k], filled.
        scores: float32[b, k], filled.
    """
    categories, weights, offsets = history
    indptr, indices, data = popularity
    total = np.zeros(len(prior), np.float64)
    state = np.zeros(len(prior), np.uint8)
    touched = np.empty(len(prior) + 1, np.int32)
    for r in range(len(items)):
        count = 0
        for at in range(offsets[r], offsets[r + 1]):
            for entry in range(indptr[categories[at]], indptr[categories[at] + 1]):
                item = indices[entry]
                touched[count] = item
                count += state[item] == 0
                state[item] = TOUCHED
                total[item] += weights[at] * data[entry]
        for item in exclude[0][exclude[1][r] : exclude[2][r]]:
            state[item] |= EXCLUDED
        clear(scores[r], items[r])
        for item in touched[:count]:
            if state[item] == TOUCHED:
                push(np.float32(total[item] + prior_weight[r] * prior[item]), item, scores[r], items[r])
        # Items of none of the categories come in one order for all rows: what is below the k-th ends it.
        for item in order:
            score = np.float32(prior_weight[r] * prior[item])
            if score < scores[r, 0]:
                break
            if state[item] == 0:
                push(score, item, scores[r], items[r])
        finish(scores[r], items[r])
        for item in touched[:count]:
            total[item] = 0.0
            state[item] = 0
        for item in exclude[0][exclude[1][r] : exclude[2][r]]:
            state[item] = 0
