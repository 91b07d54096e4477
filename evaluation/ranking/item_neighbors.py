"""Items taken by the same users: both views of the training data, and each item's most similar ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.ranking import forecast
from retrieval_leaderboard.evaluation.ranking.sampled_users import SampledUsers
from retrieval_leaderboard.support import compute

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Roots = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | tuple[None, None]
BLOCK_ITEMS, MOST_BLOCKS = 256, 1024
INTERACTION_BYTES, HELD_BYTES, ENTRY_BYTES = 17, 6, 27
"""Of an interaction, while all are put by item, and from then on; of a neighbor kept, while it is stacked and
turned: measured"""
CHUNK = 2**18
"""Interactions that are counted at once, where items are not more"""
SAMPLE_USERS = 4096
"""That an item's time is measured with"""

Norms = npt.NDArray[np.float64]
Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]
"""Neighbors of consecutive items: how many each has int64[b], their codes int32[total], and
their similarities float32[total]."""


def nearest(
    train: Interactions,
    weights: npt.NDArray[np.float64],
    norms: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    shrinkage: float,
    top_k: int,
    label: str,
    weighted: bool = False,
) -> csr_array:
    """c_ij / (own_i · other_j + shrinkage), c_ij the sum of w_u √(w_ui w_uj) of the users who took both.

    Args:
        train: the interactions.
        weights: float64[n_users], w_u, above 0.
        norms: float64[n_items] each, own and other: divisors of an item as itself and as neighbor.
        shrinkage: added to the product of the two.
        top_k: items kept in each row.
        label: what the progress bar says.
        weighted: whether w_ui is the weight of the interaction, where there are any, or 1.

    Returns:
        float32[n_items, n_items] whose row i holds the `top_k` most similar to item i, not itself.
    """
    kernel = partial(_nearest, shrinkage=float(shrinkage), top_k=top_k)
    engine = engines.current()
    if isinstance(engine, engines.GroupedEngine):
        roots = None if not weighted or train.weight is None else np.sqrt(train.weight)
        histories = engines.Histories(train, weights, roots)
        blocks = engine.map_histories(kernel, histories, norms, activity(train), label)
    else:
        shared = _shared(train, weights, norms, weighted)
        blocks = engine.map(kernel, shared, train.n_items, _block_items(train), label, "items")
    return stack(list(blocks), train.n_items)


def _nearest(shared: tuple[Any, ...], first: int, last: int, shrinkage: float, top_k: int) -> Block:
    from retrieval_leaderboard.evaluation.ranking import item_neighbors_kernels

    return item_neighbors_kernels.nearest(*(first, last, *shared, shrinkage, top_k))


def ranked(
    sums: csr_array, norms: tuple[Norms, Norms], shrinkage: float, top_k: int, label: str
) -> csr_array:
    """As `nearest`, where the sums c_ij are known: float64[n_items, n_items]."""
    n_items = sums.shape[0]
    shared = sums.indptr, sums.indices, sums.data, *norms
    kernel = partial(_ranked, shrinkage=float(shrinkage), top_k=top_k)
    size = max(BLOCK_ITEMS, n_items // MOST_BLOCKS)
    return stack(list(engines.current().map(kernel, shared, n_items, size, label, "items")), n_items)


def _ranked(shared: tuple[Any, ...], first: int, last: int, shrinkage: float, top_k: int) -> Block:
    from retrieval_leaderboard.evaluation.ranking import item_neighbors_kernels

    return item_neighbors_kernels.ranked(*(first, last, *shared, shrinkage, top_k))


def _shared(
    train: Interactions, weights: npt.NDArray[np.float64], norms: tuple[Any, Any], weighted: bool
) -> tuple[Any, ...]:
    roots = roots_of(train) if weighted else (None, None)
    return arrays(users_of_items(train)), arrays(train.by_user), *roots, weights, *norms


def _block_items(train: Interactions) -> int:
    # A block begins with a row of zeros for all items, which is most of the work where they are millions.
    return max(BLOCK_ITEMS, train.n_items // MOST_BLOCKS)


def say_duration(train: Interactions, top_k: int, label: str, weighted: bool = False) -> None:
    """Say how long `nearest` will take, where it is long; call it first, it is quick with any log.

    By the loop over some users: neither their weights nor the norms of items change what it takes.
    """
    sample, ones = SampledUsers.of(train), np.ones(train.n_items)
    log = _shared(sample.log, np.ones(len(sample.users)), (ones, ones), weighted)
    kernel = partial(_nearest, shrinkage=0.0, top_k=top_k)
    pairs = reckoned_activity(train, sample)

    def timed(items: npt.NDArray[np.int32], users: forecast.Rows) -> Block:
        # Their own codes tell nothing of the time.
        return kernel(((users[0], users[1][items], users[2][items]), *log[1:]), 0, len(items))

    calls, costs = -(-train.n_items // _block_items(train)), (pairs, activity(sample.log))
    seconds = forecast.loop_seconds(timed, log[0], costs, SAMPLE_USERS, 1, calls)
    forecast.say(
        label,
        seconds,
        f"{pairs.sum():,.0f} pairs of items, and {bytes_needed(train, top_k, pairs) >> 20:,} MiB of memory; "
        "users with long histories cost most: --engine spark deals the items out to a cluster",
    )


def activity(train: Interactions) -> npt.NDArray[np.float64]:
    """float64[n_items]: the interactions of the users of each item, which its neighbors are among."""
    found = np.zeros(train.n_items)
    size = max(CHUNK, train.n_items)
    for first in range(0, len(train), size):  # Not as wide numbers for all interactions at once.
        part = slice(first, first + size)
        found += np.bincount(train.item[part], train.user_counts[train.user[part]], train.n_items)
    return found


def reckoned_activity(train: Interactions, sample: SampledUsers | None = None) -> npt.NDArray[np.float64]:
    """As `activity`, by the users of `sample`, or of one drawn here: exact where they are all."""
    sample = sample or SampledUsers.of(train)
    known = activity(sample.log)
    if sample.share == 1:
        return known
    # One user more, as active as those of all items: an item that few of these users took is told by all.
    mean = known.sum() / max(len(sample.log), 1)
    return train.item_counts * (known + mean) / (sample.log.item_counts + 1)


def bytes_needed(
    train: Interactions,
    top_k: int,
    pairs: npt.NDArray[np.float64],
    share: float = 1.0,
    beside: int = 0,
) -> int:
    """Bytes that `nearest` takes at its peak, and what a model then makes of its result.

    Args:
        train: the interactions.
        top_k: items kept in each row.
        pairs: float64[n_items], of `reckoned_activity`.
        share: of the items met, up to `top_k` for each item, that are kept.
        beside: bytes that a model holds while items are compared.
    """
    kept = share * np.minimum(pairs - train.item_counts, min(top_k, train.n_items)).sum()
    rooms = compute.current().threads * train.n_items * (8 + 4)  # Of the kernel: sums, and items met.
    rooms += engines.bytes_of_tasks(pairs)
    compared = HELD_BYTES * len(train) + ENTRY_BYTES * kept + rooms + beside
    return int(max(INTERACTION_BYTES * len(train), compared))


def users_of_items(train: Interactions) -> Ragged:
    """The users of each item, ascending: `n_items` rows."""
    users, offsets, _ = by_item(train, np.ones(len(train), np.int8))
    return Ragged.from_offsets(users, offsets)


def roots_of(train: Interactions) -> Roots:
    """√w of every interaction, by item as in `users_of_items` and by user; None each without weights."""
    if train.weight is None:
        return None, None
    roots = np.sqrt(train.weight)
    return by_item(train, roots)[2], roots


def by_item(
    train: Interactions, values: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Users by item, ascending, where each item's begin, and `values`, one an interaction, in that order."""
    from scipy.sparse import csr_array

    offsets = train.by_user.compact()[1]
    matrix = csr_array((values, train.item, offsets), shape=(train.n_users, train.n_items)).tocsc()
    # scipy widens the codes of 2^31 interactions or more.
    return matrix.indices.astype(np.int32, copy=False), matrix.indptr.astype(np.int64), matrix.data


def arrays(rows: Ragged) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The values, starts and stops of all rows, as kernels take them."""
    return rows.values, rows.start, rows.stop


def stack(blocks: list[Block], n_items: int) -> csr_array:
    """float32[n_items, n_items]: row i holds the neighbors of item i. `blocks` is emptied."""
    from scipy.sparse import csr_array

    offsets = offsets_of(np.concatenate([np.empty(0, np.int64), *(block[0] for block in blocks)]))
    codes, values = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32)
    at = len(codes)
    while blocks:  # Each goes as it is copied: together they may be most of the memory.
        _, block_codes, block_values = blocks.pop()
        at -= len(block_codes)
        codes[at : at + len(block_codes)] = block_codes
        values[at : at + len(block_codes)] = block_values
    if offsets[-1] < 2**31:
        # With wider offsets scipy would widen the codes too.
        offsets = offsets.astype(np.int32)
    return csr_array((values, codes, offsets), shape=(n_items, n_items))
