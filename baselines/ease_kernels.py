"""The compiled loops that sum what users of two items weigh."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def all_items(first, last, users, items, user_roots, item_roots, matrix):
    """Add √(w_ui w_uj) to matrix[i - first, j], float64[last - first, n_items], for each user of both.

    Args:
        first, last: the items i, from `first` to `last` - 1.
        users: rows of users, one for each item, as (values, start, stop).
        items: rows of items, one for each user, as (values, start, stop).
        user_roots, item_roots: float32, √w of the interactions beside the values of `users` and `items`;
            None, which is compiled apart, where all are 1.
        matrix: the sums.
    """
    for item in range(first, last):
        row = matrix[item - first]
        for place in range(users[1][item], users[2][item]):
            user = users[0][place]
            for at in range(items[1][user], items[2][user]):
                if item_roots is None:
                    row[items[0][at]] += 1
                else:
                    row[items[0][at]] += user_roots[place] * item_roots[at]


@njit(cache=True, nogil=True)
def some_items(chosen, users, roots, room, matrix):
    """Fill matrix[a, b], float64[m, m], a >= b, with the sum of √(w_ui w_uj) over the users of both items.

    Args:
        chosen: int32[m], the items i and j of rows a and columns b.
        users, roots: rows of users and √w beside their values, as of `all_items`.
        room: int32[2, n_users] or int64 to work in; room[0] is 0 before and after.
        matrix: the sums.
    """
    counts, places = room
    matrix[:] = 0.0
    for item in chosen:
        for user in users[0][users[1][item] : users[2][item]]:
            counts[user] += 1
    total = 0
    for item in chosen:  # Each user's rows lie together, from `places` on.
        for user in users[0][users[1][item] : users[2][item]]:
            if counts[user] > 0:
                places[user] = total
                total += counts[user]
                counts[user] = 0
    rows, values = np.empty(total, np.int32), np.empty(total, np.float64)
    for row, item in enumerate(chosen):
        for at in range(users[1][item], users[2][item]):
            user = users[0][at]
            root = 1.0 if roots is None else np.float64(roots[at])
            begin = places[user]
            rows[begin + counts[user]], values[begin + counts[user]] = row, root
            counts[user] += 1
            for other in range(begin, begin + counts[user]):
                matrix[row, rows[other]] += root * values[other]
    for item in chosen:
        for user in users[0][users[1][item] : users[2][item]]:
            counts[user] = 0
