"""Items taken by the same users: both views of the training data, and each item's most similar ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, index_type, offsets_of
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.ranking import forecast
from retrieval_leaderboard.evaluation.ranking.sampled_users import SampledUsers
from retrieval_leaderboard.support.storage.mapped import sums

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Roots = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | tuple[None, None]
BLOCK_ITEMS, MOST_BLOCKS = 256, 1024
SAMPLE_USERS = 4096
"""That an item's time is measured with"""

Norms = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.float64]
"""float64[n_items]: how many interactions the users of each item have"""
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
        blocks = engine.map(kernel, shared, train.n_items, block_items(train), label, "items")
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


def block_items(train: Interactions) -> int:
    """Items that `nearest` compares in one block."""
    # A block begins with a row of zeros for all items, which is most of the work where they are millions.
    return max(BLOCK_ITEMS, train.n_items // MOST_BLOCKS)


def say_duration(
    train: Interactions, top_k: int, label: str, need: Callable[[Pairs], int], weighted: bool = False
) -> None:
    """Say how long `nearest` will take, where it is long; call it first, it is quick with any log.

    By the loop over some users: neither their weights nor the norms of items change what it takes.

    Args:
        train, top_k, label, weighted: as of `nearest`.
        need: what `reckoned_activity` gives → bytes that the whole fit takes.
    """
    sample, ones = SampledUsers.of(train), np.ones(train.n_items)
    log = _shared(sample.log, np.ones(len(sample.users)), (ones, ones), weighted)
    kernel = partial(_nearest, shrinkage=0.0, top_k=top_k)
    pairs = reckoned_activity(train, sample)

    def timed(items: npt.NDArray[np.int32], users: forecast.Rows) -> Block:
        # Their own codes tell nothing of the time.
        return kernel(((users[0], users[1][items], users[2][items]), *log[1:]), 0, len(items))

    calls, costs = -(-train.n_items // block_items(train)), (pairs, activity(sample.log))
    seconds = forecast.loop_seconds(timed, log[0], costs, SAMPLE_USERS, 1, calls)
    if not seconds:
        return
    forecast.say(
        label,
        seconds,
        f"{pairs.sum():,.0f} pairs of items, and {need(pairs) >> 20:,} MiB of memory; "
        "users with long histories cost most: --engine spark deals the items out to a cluster",
    )


def activity(train: Interactions) -> Pairs:
    """float64[n_items]: the interactions of the users of each item, which its neighbors are among."""
    return sums(train.item, lambda part: train.user_counts[train.user[part]], train.n_items)


def reckoned_activity(train: Interactions, sample: SampledUsers | None = None) -> Pairs:
    """As `activity`, by the users of `sample`, or of one drawn here: exact where they are all."""
    sample = sample or SampledUsers.of(train)
    known = activity(sample.log)
    if sample.share == 1:
        return known
    # One user more, as active as those of all items: an item that few of these users took is told by all.
    mean = known.sum() / max(len(sample.log), 1)
    return train.item_counts * (known + mean) / (sample.log.item_counts + 1)


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

    # With wider offsets than it has to have scipy would widen the codes too.
    offsets = narrow(train.by_user.compact()[1])
    matrix = csr_array((values, train.item, offsets), shape=(train.n_users, train.n_items)).tocsc()
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
    return csr_array((values, codes, narrow(offsets)), shape=(n_items, n_items))


def narrow(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.signedinteger]:
    """Offsets of the type with which scipy leaves codes as they are: of 32 bits, up to 2^31 values."""
    return offsets.astype(index_type(offsets[-1]), copy=False)
