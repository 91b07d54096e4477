"""The compiled loop that counts the users whom items share."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def count(first, last, users, items, matrix):
    """Add 1 to matrix[i, j], float32[n_items, n_items], for each user of both, i from `first` to `last` - 1.

    Args:
        first, last: the block of items.
        users: rows of users, one for each item, as (values, start, stop).
        items: rows of items, one for each user, as (values, start, stop).
        matrix: the counts.
    """
    for item in range(first, last):
        row = matrix[item]
        for user in users[0][users[1][item] : users[2][item]]:
            for other in items[0][items[1][user] : items[2][user]]:
                row[other] += 1
