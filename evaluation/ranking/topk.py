"""Exact top-k over the whole catalog, in blocks of queries; ties by `ties.rank`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines.engine import Shared
from retrieval_leaderboard.evaluation.ranking import forecast, topk_torch
from retrieval_leaderboard.support import compute, progress

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TopK = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]

# A block of scores this large stays in the last-level cache between the product and the selection.
BLOCK_BYTES = 2**24
BLOCK_QUERIES = 64
ADVICE = "docs/many-queries.md says what takes less"
BLOCK_ITEMS = BLOCK_BYTES // (4 * BLOCK_QUERIES)


def inner_product(
    queries: npt.NDArray[np.float32], items: npt.NDArray[np.float32], exclude: Ragged, k: int
) -> TopK:
    """The `k` items of largest inner product with each query.

    A float32 matrix product finds the candidates; inner products summed in float64 and rounded
    to float32 decide. Equal vectors tie, and the result is the same for every block size, number
    of threads and BLAS. Memory beside the result: one block of scores a thread.

    Args:
        queries: float32[q, d].
        items: float32[n, d], one vector for each item of the catalog.
        exclude: q rows of items not to return.
        k: length of a list; may exceed the catalog.

    Returns:
        items int32[q, k], best first, among equal scores the smaller `ties.rank` first, -1 where
        there is nothing left to return; and their scores float32[q, k], -inf where the item is -1.

    Raises:
        ValueError: a vector is not finite, or longer than 1.8e19; it names the query or the item.
    """
    queries, items = _float32(queries), _float32(items)
    error = _score_error(queries, items)
    if compute.device().ranks:
        said = "" if progress.busy() else amount(queries, items)
        return topk_torch.inner_product(queries, items, exclude, k, error, compute.device().name, said)
    return _inner_product_cpu(queries, items, exclude, k, error)


def _inner_product_cpu(
    queries: npt.NDArray[np.float32],
    items: npt.NDArray[np.float32],
    exclude: Ragged,
    k: int,
    error: npt.NDArray[np.float32],
) -> TopK:
    from threadpoolctl import threadpool_limits

    size = max(1, min(BLOCK_QUERIES, -(-len(queries) // compute.current().threads)))
    # The blocks have threads of their own: a threaded BLAS below them, which spins while it waits, takes the
    # cores from the selection.
    with threadpool_limits(1, user_api="blas"):
        shared = queries, items, error, exclude
        kernel, said = partial(_largest_products, k=k), amount(queries, items)
        return by_queries(kernel, shared, len(queries), k, size, said)


def _largest_products(
    shared: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32], Ragged],
    start: int,
    stop: int,
    k: int,
) -> TopK:
    from retrieval_leaderboard.evaluation.ranking import kernels

    rows, items = slice(start, stop), shared[1]
    queries, slack, exclude = shared[0][rows], 2 * shared[2][rows], _rows(shared[3], start, stop)
    heaps, heap_items = empty(stop - start, k)[::-1]
    found, scores = empty(stop - start, k)
    kernels.clear_all(heaps, heap_items)
    kernels.clear_all(scores, found)
    for first in range(0, len(items), BLOCK_ITEMS):
        some = items[first : first + BLOCK_ITEMS]
        block = _room.floats((stop - start) * len(some)).reshape(stop - start, len(some))
        np.matmul(queries, some.T, out=block)
        kernels.select(block, first, heaps, heap_items, queries, items, slack, *exclude, found, scores)
    kernels.finish_all(scores, found)
    return found, scores


class _Room(threading.local):
    """Memory that a thread uses for one block after the other: fresh pages take time."""

    kept = np.empty(0, np.float32)

    def floats(self, size: int) -> npt.NDArray[np.float32]:
        """float32[size], of whatever was in it."""
        if len(self.kept) < size:
            self.kept = np.empty(size, np.float32)
        return self.kept[:size]


_room = _Room()


def amount(queries: npt.NDArray[np.float32], items: npt.NDArray[np.float32]) -> str:
    """What there is to rank, and what to do where it is much."""
    return f"{len(queries):,} queries × {len(items):,} items × {items.shape[1]} dimensions; {ADVICE}"


def block_bytes() -> int:
    """Bytes of the scores that ranking holds at once."""
    if compute.device().ranks:
        return 2 * 4 * topk_torch.BLOCK_SCORES
    return compute.current().threads * BLOCK_BYTES


def summed(history: Ragged, similarity: csr_array, exclude: Ragged, k: int, recency: float = 0.0) -> TopK:
    """The `k` items of largest similarity to the items of each history, summed.

    An item that stands in a history twice counts twice. Items without a similarity to any item
    of the history are not returned.

    Args:
        history: q rows of items.
        similarity: float32[n, n]; row = item of the history, column = item returned; it passed
            `check_similarity`.
        exclude: q rows of items not to return.
        k: length of a list; may exceed the catalog.
        recency: the r-th item from the end of a history weighs r^-recency.

    Returns:
        As `inner_product`; scores are summed in float64 and rounded.
    """
    shared = history, exclude, similarity.indptr, similarity.indices, similarity.data
    kernel, costs = partial(_sums, recency=float(recency), k=k), history.lengths
    return by_queries(kernel, shared, len(history), k, 256, costs=costs)


def _sums(shared: tuple[Any, ...], start: int, stop: int, recency: float, k: int) -> TopK:
    from retrieval_leaderboard.evaluation.ranking import kernels

    history, exclude, offsets, items, similarities = shared
    rows = _rows(history, start, stop), _rows(exclude, start, stop)
    found, scores = empty(stop - start, k)
    kernels.sum_neighbors(*rows, offsets, items, similarities, recency, found, scores)
    return found, scores


def first_allowed(
    order: npt.NDArray[np.int32], scores: npt.NDArray[np.float32], exclude: Ragged, k: int
) -> TopK:
    """The first `k` items of one order, the same for all queries, that a query does not exclude.

    Args:
        order: int32[m], items, best first.
        scores: float32[m], the score of each.
        exclude: q rows of items not to return.
        k: length of a list.

    Returns:
        As `inner_product`.
    """
    n_items = 1 + int(max(order.max(initial=-1), exclude.values.max(initial=-1)))
    kernel = partial(_first_allowed, n_items=n_items, k=k)
    return by_queries(kernel, (order, scores, exclude), len(exclude), k, 4096)


def _first_allowed(shared: tuple[Any, Any, Ragged], start: int, stop: int, n_items: int, k: int) -> TopK:
    from retrieval_leaderboard.evaluation.ranking import kernels

    order, order_scores, exclude = shared
    found, scores = empty(stop - start, k)
    kernels.first_allowed(order, order_scores, n_items, _rows(exclude, start, stop), found, scores)
    return found, scores


def by_queries(
    kernel: Callable[[Shared, int, int], TopK],
    shared: Shared,
    n_queries: int,
    k: int,
    block: int,
    said: str = "",
    costs: npt.NDArray[Any] | None = None,
) -> TopK:
    """Lists that a kernel makes for one block of queries after the other.

    Args:
        kernel: as of `Engine.map`; returns int32[b, k] items and float32[b, k] scores of a block of queries.
        shared: as of `Engine.map`.
        n_queries: how many queries there are.
        k: length of a list.
        block: queries in a block.
        said: what there is to rank, for the message where it will take long.
        costs: [n_queries], about what each query takes beside the others; None where all take the same.
    """
    found, scores = empty(n_queries, k)
    if k > 0:
        lists = engines.current().map(kernel, shared, n_queries, block, "ranking", "queries")
        said = "" if progress.busy() else said or f"{n_queries:,} queries; {ADVICE}"
        begun = time.perf_counter()
        for number, (items, values) in enumerate(lists):
            rows = slice(block * number, block * number + len(items))
            found[rows], scores[rows] = items, values
            if said and number == 0:
                # Meanwhile each other thread did a block too.
                each = np.broadcast_to(1.0, n_queries) if costs is None else costs
                times = (1 + each.sum()) / (1 + each[rows].sum())
                forecast.say("ranking", times * (time.perf_counter() - begun), said)
    return found, scores


def empty(n_queries: int, k: int) -> TopK:
    """Lists without an item: -1 and -inf everywhere."""
    return np.full((n_queries, k), -1, np.int32), np.full((n_queries, k), -np.inf, np.float32)


def _rows(rows: Ragged, start: int, stop: int) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    return rows.values, rows.start[start:stop], rows.stop[start:stop]


def _float32(vectors: npt.NDArray) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _score_error(queries: npt.NDArray[np.float32], items: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """float32[q]: how far a score from a float32 product can be from the exact one.

    A sum of d products in any order is off by at most d u |x| |y| with u = 2^-24 (Higham,
    Accuracy and Stability of Numerical Algorithms, 2002, section 3.1); four more for rounding
    the exact score, the limit it is compared with, and the norms. Never 0, so that all ties with the k-th
    score are candidates, those of zero vectors too.
    """
    # Finite squared lengths keep |x| |y|, and so every score, within float32.
    longest = _norms(items, "item").max(initial=0.0)
    error = _norms(queries, "query") * longest * np.float32((queries.shape[1] + 4) * 2.0**-24)
    return error + np.finfo(np.float32).tiny


def _norms(vectors: npt.NDArray[np.float32], kind: str) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    if not np.isfinite(norms).all():
        bad = int(np.argmin(np.isfinite(norms)))
        raise ValueError(f"the vector of {kind} {bad} is NaN, infinite or too long for float32")
    return norms


def check_similarity(similarity: csr_array) -> None:
    """ValueError, naming the items, where a similarity is NaN or infinite."""
    finite = np.isfinite(similarity.data)
    if not finite.all():
        at = int(np.argmin(finite))
        row = int(np.searchsorted(similarity.indptr, at, side="right")) - 1
        raise ValueError(
            f"the similarity of items {row} and {similarity.indices[at]} is {similarity.data[at]}"
        )
