"""Compiled loops of exact top-k: heaps of (score, item) with ties broken by `ties.rank`.

All kernels work on the rows they are given, on one thread, without the GIL.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from retrieval_leaderboard.evaluation.ranking import ties

# Scores are tested in chunks: one branch for 64 of them, and the tests themselves use SIMD.
CHUNK = 64
EXCLUDED = np.uint8(2)
TOUCHED = np.uint8(1)

_tie_rank = njit(cache=True, nogil=True, inline="always")(ties.rank)


@njit(cache=True, nogil=True, inline="always")
def _worse(score_a, item_a, score_b, item_b):
    """Whether a ranks below b: smaller score, or the same score and the later place among equals."""
    if score_a != score_b:
        return score_a < score_b
    return _tie_rank(np.int64(item_a)) > _tie_rank(np.int64(item_b))


@njit(cache=True, nogil=True)
def _sink(scores, items, size):
    """Restore the heap of the first `size` entries, worst on top, after its top has changed."""
    score, item = scores[0], items[0]
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        right = child + 1
        if right < size and _worse(scores[right], items[right], scores[child], items[child]):
            child = right
        if not _worse(scores[child], items[child], score, item):
            break
        scores[at], items[at] = scores[child], items[child]
        at = child
    scores[at], items[at] = score, item


@njit(cache=True, nogil=True)
def clear(scores, items):
    """Fill the heap with entries that every real one beats."""
    scores[:] = -np.inf
    items[:] = np.iinfo(np.int32).max


@njit(cache=True, nogil=True, inline="always")
def push(score, item, scores, items):
    """Let the entry take the place of the worst one, where it is better."""
    if _worse(scores[0], items[0], score, item):
        scores[0], items[0] = score, item
        _sink(scores, items, len(scores))


@njit(cache=True, nogil=True)
def finish(scores, items):
    """Turn the heap into a list, best first; places never filled become -1 and -inf.

    Returns the number of places filled.
    """
    for size in range(len(scores) - 1, 0, -1):
        scores[0], scores[size] = scores[size], scores[0]
        items[0], items[size] = items[size], items[0]
        _sink(scores, items, size)
    filled = 0
    for place in range(len(scores)):
        if scores[place] == -np.inf:
            items[place] = -1
        else:
            filled += 1
    return filled


@njit(cache=True, nogil=True)
def _any_above(chunk, limit):
    """Whether one of `CHUNK` scores is above `limit`."""
    # An int32 and no branch: with a bool the compiler does not use SIMD, which is ten times slower.
    above = np.int32(0)
    for at in range(CHUNK):
        above |= np.int32(chunk[at] > limit)
    return above != 0


@njit(cache=True, nogil=True)
def _candidates(row, slack, first, heap, heap_items, found):
    """Places in `row` that may be among the best k when a score may be off by `slack` / 2.

    Leaves the k-th best score so far in heap[0]; returns how many entries of `found` are set.
    """
    count = 0
    whole = len(row) - len(row) % CHUNK
    for start in range(0, len(row), CHUNK):
        if start < whole and not _any_above(row[start : start + CHUNK], heap[0] - slack):
            continue
        for place in range(start, min(start + CHUNK, len(row))):
            if row[place] > heap[0] - slack:
                found[count] = place
                count += 1
                push(row[place], first + place, heap, heap_items)
    return count


@njit(cache=True, nogil=True)
def select(block, first, heaps, heap_items, queries, vectors, slacks, values, start, stop, items, scores):
    """Let consecutive items with these approximate scores take their places, by exact ones, among the best.

    Args:
        block: float32[b, m], scores as the matrix product gave them; overwritten.
        first: the first of the m items.
        heaps, heap_items: float32[b, k] and int32[b, k], heaps of approximate scores so far.
        queries: float32[b, d].
        vectors: float32[n, d], of all items.
        slacks: float32[b], twice the largest error of a score in the row.
        values, start, stop: excluded items of row r are values[start[r]:stop[r]].
        items, scores: int32[b, k] and float32[b, k], heaps of inner products summed in float64.
    """
    found = np.empty(block.shape[1], np.int32)
    for r in range(len(block)):
        row, query = block[r], queries[r]
        for at in range(start[r], stop[r]):
            place = values[at] - first
            if 0 <= place < len(row):
                row[place] = -np.inf
        count = _candidates(row, slacks[r], first, heaps[r], heap_items[r], found)
        limit = heaps[r, 0] - slacks[r]
        for place in found[:count]:
            if row[place] >= limit:
                exact = 0.0
                for axis in range(len(query)):
                    exact += np.float64(query[axis]) * np.float64(vectors[first + place, axis])
                push(np.float32(exact), first + place, scores[r], items[r])


@njit(cache=True, nogil=True)
def clear_all(scores, items):
    """Empty heaps of several rows."""
    for r in range(len(scores)):
        clear(scores[r], items[r])


@njit(cache=True, nogil=True)
def finish_all(scores, items):
    """Turn the heaps of several rows into lists."""
    for r in range(len(scores)):
        finish(scores[r], items[r])


@njit(cache=True, nogil=True)
def sum_neighbors(history, exclude, indptr, indices, data, recency, items, scores):
    """The items of largest summed similarity to the items of each history.

    Args:
        history, exclude: rows of items, each as (values, start, stop).
        indptr, indices, data: the similarity in CSR form; row = item of a history.
        recency: the r-th item from the end of a history weighs r^-recency.
        items: int32[b, k], filled.
        scores: float32[b, k], filled.
    """
    n_items = len(indptr) - 1
    # float64: sums that are equal on paper stay equal in float32, whatever the order.
    total = np.zeros(n_items, np.float64)
    state = np.zeros(n_items, np.uint8)
    touched = np.empty(n_items + 1, np.int32)
    for r in range(len(items)):
        count = 0
        for place in range(history[1][r], history[2][r]):
            seen, weight = history[0][place], np.float64(history[2][r] - place) ** -recency
            for at in range(indptr[seen], indptr[seen + 1]):
                item = indices[at]
                # Written always and kept when new: cheaper than a branch nobody can predict.
                touched[count] = item
                count += state[item] == 0
                state[item] = TOUCHED
                total[item] += weight * data[at]
        for item in exclude[0][exclude[1][r] : exclude[2][r]]:
            state[item] |= EXCLUDED
        clear(scores[r], items[r])
        for item in touched[:count]:
            if state[item] == TOUCHED:
                push(np.float32(total[item]), item, scores[r], items[r])
        finish(scores[r], items[r])
        for item in touched[:count]:
            total[item] = 0.0
            state[item] = 0
        for item in exclude[0][exclude[1][r] : exclude[2][r]]:
            state[item] = 0


@njit(cache=True, nogil=True)
def first_allowed(order, order_scores, n_items, exclude, items, scores):
    """The first items of one fixed order that each row does not exclude."""
    excluded = np.full(n_items, -1, np.int64)
    for r in range(len(items)):
        for item in exclude[0][exclude[1][r] : exclude[2][r]]:
            excluded[item] = r
        filled = 0
        for place in range(len(order)):
            if filled == items.shape[1]:
                break
            if excluded[order[place]] != r:
                items[r, filled] = order[place]
                scores[r, filled] = order_scores[place]
                filled += 1
        items[r, filled:] = -1
        scores[r, filled:] = -np.inf
