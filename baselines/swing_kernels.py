"""The compiled loops of Swing: exact over all pairs of users, one item at a time.

For an item i with the users u_0 < u_1 < …, the places of the users who also took j are listed for
every j. Walking the lists of one user's items then sums s(i, j): one step for each (pair of users,
pair of common items), from arrays that fit the first-level cache. The intersections |I_u ∩ I_v|
come from a table where the users are few; else the same lists are walked once more to count them,
so that nothing of the size of users² or items² is stored.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from retrieval_leaderboard.evaluation.ranking.item_neighbors_kernels import packed
from retrieval_leaderboard.evaluation.ranking.kernels import clear, push


@njit(cache=True, nogil=True)
def nearest(
    block, users, items, user_roots, item_roots, weights, own_norms, other_norms, alpha, top_k, place_type,
    offset_type, table,
):  # fmt: skip
    """The `top_k` items with the largest Swing similarity to each item of `block`, ties by
    `ties.rank`.

    Args:
        block: int32[b], item codes.
        users: rows of users, one for each item, as (values, start, stop).
        items: rows of items, one for each user, as (values, start, stop).
        user_roots, item_roots: float32, square roots of the weights of the interactions beside the values of
            `users` and `items`; None, which is compiled apart, where all are 1.
        weights: float32[n_users].
        own_norms, other_norms: float64[n_items], divisors of an item as itself and as neighbor.
        alpha: smoothing added to the size of an intersection.
        top_k: neighbors kept.
        place_type: empty, of an unsigned type that holds the most users an item has; the narrower
            it is, the more of the lists the caches hold.
        offset_type: empty, of a signed type that holds the most interactions that the users of an item have.
        table: uint16[n_users, n_users], items two users share; uint16[0, 0] to count them anew.

    Returns:
        lengths int64[b], neighbors int32[total] in no order, similarities float32[total].
    """
    n_items = len(users[1])
    total = np.zeros(n_items, np.float64)
    begin = np.zeros(n_items + 1, offset_type.dtype)
    end = np.zeros(n_items, offset_type.dtype)
    lengths = np.empty(len(block), np.int64)
    found = np.empty((len(block), top_k), np.int32)
    scores = np.empty((len(block), top_k), np.float32)
    for row in range(len(block)):
        members = users[0][users[1][block[row]] : users[2][block[row]]]
        others = _others(block[row], members, items, end)
        places, place_roots = _places(block[row], members, items, item_roots, others, begin, end, place_type)
        about = block[row], members, items, weights, alpha, table, places, begin, end, total
        if item_roots is None:
            _sum_pairs(*about, len(weights), None, None, None)
        else:
            own_roots = user_roots[users[1][block[row]] : users[2][block[row]]]
            _sum_pairs(*about, len(weights), own_roots, item_roots, place_roots)
        clear(scores[row], found[row])
        size = 0
        for other in others:
            if total[other] > 0.0:
                # Each unordered pair of users was met once.
                score = 2.0 * total[other] / (own_norms[block[row]] * other_norms[other])
                push(np.float32(score), other, scores[row], found[row])
                size += 1
            total[other] = 0.0
            end[other] = 0
        lengths[row] = min(size, top_k)
    return packed(lengths, found, scores)


@njit(cache=True, nogil=True)
def pair_sums(
    block, users, items, user_roots, item_roots, weights, below, alpha, place_type, offset_type, table
):
    """What `nearest` divides by norms, of each item of `block` with every other, over pairs of users of whom
    one at least has a code less than `below`.

    Args:
        below: 0 to n_users.
        block, users, items, user_roots, item_roots, weights, alpha, place_type, offset_type, table: as of
            `nearest`.

    Returns:
        lengths int64[b], codes of the others int32[total], and sums over ordered pairs float64[total].
    """
    n_items = len(users[1])
    total = np.zeros(n_items, np.float64)
    begin = np.zeros(n_items + 1, offset_type.dtype)
    end = np.zeros(n_items, offset_type.dtype)
    lengths = np.zeros(len(block), np.int64)
    codes, sums = [np.empty(0, np.int32)], [np.empty(0, np.float64)]
    for row in range(len(block)):
        members = users[0][users[1][block[row]] : users[2][block[row]]]
        others = _others(block[row], members, items, end)
        places, place_roots = _places(block[row], members, items, item_roots, others, begin, end, place_type)
        about = block[row], members, items, weights, alpha, table, places, begin, end, total
        if item_roots is None:
            _sum_pairs(*about, below, None, None, None)
        else:
            own_roots = user_roots[users[1][block[row]] : users[2][block[row]]]
            _sum_pairs(*about, below, own_roots, item_roots, place_roots)
        met = others[total[others] > 0.0]
        codes.append(met)
        sums.append(2.0 * total[met])  # Each unordered pair of users was met once.
        lengths[row] = len(met)
        total[others] = 0.0
        end[others] = 0
    return lengths, joined(codes, lengths), joined(sums, lengths)


@njit(cache=True, nogil=True)
def joined(parts, lengths):
    """All of `parts` in one array; the first of them is empty."""
    found = np.empty(lengths.sum(), parts[0].dtype)
    at = 0
    for part in parts:
        found[at : at + len(part)] = part
        at += len(part)
    return found


@njit(cache=True, nogil=True)
def _others(item, members, items, end):
    """Items that share a user with `item`; leaves in end[j] how many users j shares."""
    size = 0
    for user in members:
        size += items[2][user] - items[1][user]
    others = np.empty(min(size, len(end)), np.int32)
    count = 0
    for user in members:
        for other in items[0][items[1][user] : items[2][user]]:
            if other != item:
                if end[other] == 0:
                    others[count] = other
                    count += 1
                end[other] += 1
    return others[:count]


@njit(cache=True, nogil=True)
def _places(item, members, items, item_roots, others, begin, end, place_type):
    """For each j of `others`, in places[begin[j]:end[j]], which of `members` took j, ascending.

    Beside them, where there are `item_roots`, those of the interactions with j.
    """
    at = 0
    for other in others:
        begin[other] = at
        at += end[other]
        end[other] = begin[other]
    places = np.empty(at, place_type.dtype)
    place_roots = np.empty(0 if item_roots is None else at, np.float32)
    for place in range(len(members)):
        user = members[place]
        for own in range(items[1][user], items[2][user]):
            other = items[0][own]
            if other != item:
                places[end[other]] = place
                if item_roots is not None:
                    place_roots[end[other]] = item_roots[own]
                end[other] += 1
    return places, place_roots


@njit(cache=True, nogil=True)
def _sum_pairs(
    item, members, items, weights, alpha, table, places, begin, end, total, below, own_roots, item_roots,
    place_roots,
):  # fmt: skip
    """Add w_u w_v / (alpha + |I_u ∩ I_v|) of the pairs of `members` to the items both took, u < `below`.

    Each term is multiplied by the roots of the four interactions: `own_roots` of those of `members` with
    `item`, `item_roots` and `place_roots` beside `items` and `places`; None for 1.
    """
    shared = np.empty(len(members), np.int32)
    terms = np.empty(len(members), np.float32)
    for place in range(len(members)):
        user = members[place]
        if user >= below:
            break
        own = items[0][items[1][user] : items[2][user]]
        for other in own:
            if other != item:
                # Lists are ascending and earlier users are done: begin moves past this user.
                begin[other] += 1
        if len(table):
            for later in range(place + 1, len(members)):
                shared[later] = table[user, members[later]]
        else:
            _count_shared(item, own, places, begin, end, shared)
        for later in range(place + 1, len(members)):
            terms[later] = weights[members[later]] / (alpha + shared[later])
            if own_roots is not None:
                terms[later] *= own_roots[later]
        for at in range(len(own)):
            other = own[at]
            if other != item:
                after = slice(begin[other], end[other])
                if own_roots is None:
                    total[other] += weights[user] * _sum_at(terms, places[after], None)
                else:
                    root = own_roots[place] * item_roots[items[1][user] + at]
                    total[other] += weights[user] * root * _sum_at(terms, places[after], place_roots[after])


@njit(cache=True, nogil=True)
def _count_shared(item, own, places, begin, end, shared):
    """Set shared[place] to how many items of `own` the user at each later place took."""
    # All of them took `item` itself.
    shared[:] = 1
    for other in own:
        if other != item:
            for later in places[begin[other] : end[other]]:
                shared[later] += 1


@njit(cache=True, nogil=True)
def _sum_at(terms, places, roots):
    """Sum of terms[places] · roots; four sums at once, as one would wait for each addition to end."""
    a = b = c = d = np.float32(0.0)
    fours = len(places) - len(places) % 4
    for at in range(0, fours, 4):
        a += _term(terms, places, roots, at)
        b += _term(terms, places, roots, at + 1)
        c += _term(terms, places, roots, at + 2)
        d += _term(terms, places, roots, at + 3)
    for at in range(fours, len(places)):
        a += _term(terms, places, roots, at)
    return (a + b) + (c + d)


@njit(cache=True, nogil=True)
def _term(terms, places, roots, at):
    if roots is None:
        return terms[places[at]]
    return terms[places[at]] * roots[at]


@njit(cache=True, nogil=True)
def fill_table(first, last, users, items, table):
    """Count in row u - `first` of `table`, for u from `first` to `last` - 1, the items u shares with each."""
    for user in range(first, last):
        for item in items[0][items[1][user] : items[2][user]]:
            for other in users[0][users[1][item] : users[2][item]]:
                table[user - first, other] += 1
