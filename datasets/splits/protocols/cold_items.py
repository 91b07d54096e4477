"""Protocol `cold-items`: items that no model has learned from, which a query meets for the first time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits.protocol import Parts
from retrieval_leaderboard.datasets.splits.protocols import next_item
from retrieval_leaderboard.datasets.splits.whole import Whole

COLD_SHARE = 0.1

Members = npt.NDArray[np.bool_]
"""bool[n_items]"""


def split(log: Log, whole: Whole) -> Parts:
    """As `next-item`, with a tenth of the catalog's items cold in the test part, drawn by the seed.

    Three kinds of items, by where an interaction with one is learned from:

    - cold in the test part, a tenth of the catalog: neither `train` nor `train_valid` has one.
      No validation query asks for one either, so no choice rests on what is known of it later.
    - cold in the validation part, another tenth: `train` has none and `train_valid` has all, so
      that the choice is made on queries that ask for cold items, and the final model knows these.
    - the others: as in `next-item`.

    Test queries are those of `next-item`, and every item stays in the catalog. Histories stay
    whole: an item the user took before the query is there even where it is cold, because it
    is known of the user at that moment, and a model that knows the item's features can use it. A user
    whose training interactions are all held out has a history and no training row.
    """
    parts = next_item.split(log, whole)
    cold, cold_in_valid = draw(len(log.item_ids), whole.seed)
    train_valid = parts.train_valid.take(np.flatnonzero(~cold[parts.train_valid.item]))
    removed = len(parts.train_valid) - len(train_valid)
    note = (
        f"{int(cold.sum()):,} items held out of training with their {{:,}} interactions; "
        f"{int(cold_in_valid.sum()):,} others held out of what the choice on the validation part learns from"
    )
    return Parts(
        parts.train.take(np.flatnonzero(~(cold | cold_in_valid)[parts.train.item])),
        _not_asking_for(parts.valid, cold),
        train_valid,
        parts.test,
        parts.counted | {note: removed},
    )


def draw(n_items: int, seed: int) -> tuple[Members, Members]:
    """The items cold in the test part, and those cold in the validation part alone; no item is both."""
    size = max(1, round(COLD_SHARE * n_items))
    # A stream of its own: `seed` alone has drawn the order of ties.
    order = np.random.default_rng((seed, 1)).permutation(n_items)
    groups = np.zeros((2, n_items), dtype=np.bool_)
    groups[0, order[:size]] = True
    groups[1, order[size : 2 * size]] = True
    return groups[0], groups[1]


def _not_asking_for(queries: Queries, items: Members) -> Queries:
    """`queries`, which have one relevant item each, without those whose item is one of `items`."""
    return queries.take(np.flatnonzero(~items[queries.relevant.compact()[0]]))


PROTOCOL = replace(
    next_item.PROTOCOL,
    name="cold-items",
    split=split,
    validation="the three events of each user before the test events, but for items that are cold in the "
    "test part; another tenth of the items is cold in it",
)
