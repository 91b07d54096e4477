"""Bytes that fits take which compare items, by the arrays that they hold at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.ranking.item_neighbors import Pairs, block_items
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.storage.mapped import CHUNK, blocks

MARK, CODE, WIDE = 1, 4, 8
"""Bytes of a mark beside an interaction, of a code or a similarity, and of a wide number"""
ENTRY = 2 * CODE
"""Of a similarity with the code of its item"""
USER, ITEM = 3 * WIDE, 5 * WIDE
"""Of the numbers that a fit has of each user and of each item: lengths, weights, norms, places"""
ITEM_STORED, ITEM_DIVIDED = 6 * WIDE, 3 * WIDE
"""Of those of each item where similarities are stored and popular items ranked, and beside them where
similarities are divided: norms, places, orders; sums, divisors"""
SMALL = 2**16
"""Bytes of an array below which its room, once it is freed, is not given back to the system"""
SAMPLE_ITEMS, SAMPLE_INTERACTIONS = 200, 2**16
"""That the neighbors of all items are reckoned by, and of the users of each that are looked at, about"""


def by_item(train: Interactions) -> int:
    """Bytes at the peak of `users_of_items` and `roots_of`."""
    # Marks, users and marks by item; scipy copies the codes of so many as wide ones.
    codes = CODE if len(train) < 2**31 else 2 * WIDE
    # √w both ways, and the users in one of them.
    sorted_roots = 0 if train.weight is None else 3 * CODE
    return len(train) * max(2 * MARK + codes, CODE + sorted_roots)


def held(train: Interactions) -> int:
    """Bytes that their results have."""
    return len(train) * (CODE if train.weight is None else 3 * CODE)


def numbers(train: Interactions) -> int:
    """Bytes of what a fit knows of each user and each item."""
    return USER * train.n_users + ITEM * train.n_items


def comparing(train: Interactions, top_k: int, pairs: Pairs, kept: float) -> int:
    """Bytes at the peak of `item_neighbors.nearest`, of `kept` similarities in all.

    A thread has sums and a list of items, and the heaps of a block.
    """
    rooms = train.n_items * (WIDE + CODE) + ENTRY * block_items(train) * top_k
    room = compute.current().threads * rooms + engines.bytes_of_tasks(pairs)
    return max(by_item(train), held(train) + int(ENTRY * kept) + room)


def stored(train: Interactions, kept: float, copies: int, n_blocks: int, divided: bool) -> int:
    """Bytes where `kept` similarities, found in `n_blocks`, are in `copies` arrays, maybe `divided` by sums.

    The room that small blocks had is not to be had for these.
    """
    of_item = ITEM_STORED + ITEM_DIVIDED * divided
    small = CODE * kept < SMALL * n_blocks
    left = ENTRY * kept + WIDE * train.n_items if small else 0
    return USER * train.n_users + of_item * train.n_items + int(copies * ENTRY * kept + left)


def kept(train: Interactions, top_k: int, pairs: Pairs, takers: int = 1) -> float:
    """How many similarities all items keep together.

    Args:
        train: the interactions.
        top_k: the most that an item keeps.
        pairs: float64[n_items], of `reckoned_activity`.
        takers: users that two items have to share.
    """
    top_k = min(top_k, train.n_items)
    most = np.minimum(pairs - train.item_counts, top_k).sum()
    return float(_share_kept(train, top_k, pairs, takers) * most)


def _share_kept(train: Interactions, top_k: int, pairs: Pairs, takers: int) -> float:
    """Of the interactions that the users of an item have with others, up to `top_k` for each item: how many
    become neighbors of it, by every so many-th item in the order of `pairs`.
    """
    taken = np.argsort(pairs, kind="stable")[int((train.item_counts == 0).sum()) :]
    size = min(SAMPLE_ITEMS, len(taken))
    drawn = taken[np.linspace(0, len(taken), size, endpoint=False).astype(np.int64)]
    met = found = 0
    for users in _users_of(train, drawn):
        passed = np.cumsum(train.user_counts[users])
        some = users[: 1 + np.searchsorted(passed, SAMPLE_INTERACTIONS)].astype(np.int64)
        times = np.bincount(train.by_user.take(some).compact()[0])
        met += min(int(times.sum()) - len(some), top_k)
        found += min(max(int((times >= takers).sum()) - 1, 0), top_k)
    return found / met if met else 0.0


def _users_of(train: Interactions, items: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int32]]:
    """The users of each of `items`, at most 255 of them."""
    number = np.full(train.n_items, len(items), np.uint8)
    number[items] = np.arange(len(items))
    found = [np.empty(0, np.int64)]
    for chunk in blocks(len(train), CHUNK):
        found.append(chunk.start + np.flatnonzero(number[train.item[chunk]] < len(items)))
    rows = np.concatenate(found)
    rows = rows[np.argsort(number[train.item[rows]], kind="stable")]
    return np.split(train.user[rows], np.cumsum(train.item_counts[items])[:-1])
