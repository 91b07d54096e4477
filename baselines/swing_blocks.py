"""The items of Swing dealt out: in parts of about the same cost, or in blocks with histories they need."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, index_type
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.ranking.item_neighbors import (
    Block,
    Norms,
    activity,
    arrays,
    by_item,
    roots_of,
    stack,
    users_of_items,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Sampled = tuple[Ragged, npt.NDArray[np.int64]]
TABLE_USERS = 11_585
"""Up to which a table of 16-bit counts for all pairs of them is made: 256 MiB"""
PARTS = 256


def by_parts(
    train: Interactions,
    sampled: Sampled | None,
    weights: npt.NDArray[np.float32],
    norms: tuple[Norms, Norms],
    numbers: dict[str, Any],
) -> csr_array:
    """The neighbors of all items, by parts that cost about the same.

    Args:
        train: the interactions.
        sampled: the users of each item that are compared, and which they are; None for all.
        weights, norms: as of the kernel.
        numbers: other arguments of the kernel.
    """
    users, kept = sampled or (users_of_items(train), slice(None))
    user_roots, item_roots = roots_of(train)
    user_roots = None if user_roots is None else user_roots[kept]
    order, most = by_work(train), int(users.lengths.max(initial=0))
    shared = (
        order, arrays(users), arrays(train.by_user), user_roots, item_roots, weights, *norms,
        place_type(most), offset_type(train, most), shared_items(train),
    )  # fmt: skip
    kernel = partial(_nearest, **numbers)
    blocks = list(engines.current().map(kernel, shared, PARTS, 1, "swing", "parts"))
    places = np.argsort(np.concatenate([order[part::PARTS] for part in range(PARTS)]))
    return stack(blocks, train.n_items)[places]


def by_groups(
    train: Interactions,
    sampled: Sampled | None,
    weights: npt.NDArray[np.float32],
    norms: tuple[Norms, Norms],
    numbers: dict[str, Any],
) -> csr_array:
    """As `by_parts`, by blocks of items that get the histories they need."""
    counted = None
    if sampled is not None:
        counted = np.zeros(len(train), np.bool_)
        counted[by_item(train, np.arange(len(train)))[2][sampled[1]]] = True
    roots = None if train.weight is None else np.sqrt(train.weight)
    most = int(train.item_counts.max(initial=0))
    beside = *norms, place_type(most), offset_type(train, most), np.zeros((0, 0), np.uint16)
    engine = cast(engines.GroupedEngine, engines.current())
    histories = engines.Histories(train, weights, roots, counted)
    kernel = partial(_between, **numbers)
    return stack(
        list(engine.map_histories(kernel, histories, beside, activity(train), "swing")), train.n_items
    )


def _between(log: tuple[Any, ...], first: int, last: int, alpha: np.float32, top_k: int) -> Block:
    """The neighbors of the items from `first` to `last` - 1."""
    return similar(log, np.arange(first, last, dtype=np.int32), alpha, top_k)


def _nearest(shared: tuple[Any, ...], part: int, _: int, alpha: np.float32, top_k: int) -> Block:
    """The neighbors of every PARTS-th item of the shared order, from its item `part` on."""
    order, *log = shared
    return similar(tuple(log), _part(order, part), alpha, top_k)


def similar(log: tuple[Any, ...], items: npt.NDArray[np.int32], alpha: np.float32, top_k: int) -> Block:
    """The neighbors of `items`."""
    from retrieval_leaderboard.baselines import swing_kernels

    *views, places, offsets, table = log
    return swing_kernels.nearest(*(items, *views, alpha, top_k, places, offsets, table))


def pair_sums_of(shared: tuple[Any, ...], part: int, _: int) -> Block:
    """The sums of every PARTS-th item of the shared order with others, from its item `part` on."""
    from retrieval_leaderboard.baselines import swing_kernels

    order, *log = shared
    return swing_kernels.pair_sums(*(_part(order, part), *log))


def _part(order: npt.NDArray[np.int32], part: int) -> npt.NDArray[np.int32]:
    # In one piece: kernels would be compiled anew for an array with gaps, which small data lacks.
    return np.ascontiguousarray(order[part::PARTS])


def has_table(train: Interactions) -> bool:
    """Whether `shared_items` makes its table."""
    return train.n_users <= TABLE_USERS and train.user_counts.max(initial=0) < 2**16


def place_type(most: int) -> npt.NDArray[Any]:
    """Empty, of the narrowest type that holds the place of a user among the `most` that an item has."""
    return np.empty(0, np.uint16 if most < 2**16 else np.uint32)


def offset_type(train: Interactions, most: int) -> npt.NDArray[Any]:
    """Empty, of the narrowest type that holds the interactions of the `most` users that an item has."""
    held = most * int(train.user_counts.max(initial=0))
    return np.empty(0, index_type(held))


def shared_items(train: Interactions) -> npt.NDArray[np.uint16]:
    """uint16[n_users, n_users]: items two users share; uint16[0, 0] where that is too large."""
    if not has_table(train):
        return np.zeros((0, 0), np.uint16)
    table = np.empty((train.n_users, train.n_users), np.uint16)
    shared = arrays(users_of_items(train)), arrays(train.by_user)
    blocks = engines.current().map(_shared_rows, shared, train.n_users, 64, "swing: counting", "users")
    for number, rows in enumerate(blocks):
        table[64 * number : 64 * number + len(rows)] = rows
    return table


def _shared_rows(shared: tuple[Any, Any], first: int, last: int) -> npt.NDArray[np.uint16]:
    from retrieval_leaderboard.baselines import swing_kernels

    rows = np.zeros((last - first, len(shared[1][1])), np.uint16)
    swing_kernels.fill_table(first, last, *shared, rows)
    return rows


def by_work(train: Interactions) -> npt.NDArray[np.int32]:
    """int32[n_items]: all items, the ones that cost most first; every PARTS-th ones cost about the same."""
    return np.argsort(-activity(train) * train.item_counts, kind="stable").astype(np.int32)
