"""Scores of a batch's pairs, and of its rows with its negatives.

On a CPU no vector is copied for a pair, and the gradients of items are written once, where PyTorch fills
a matrix of zeros for the negatives and one for the targets. Notation: b rows, p pairs, i items of which the
first m are negatives, d dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from retrieval_leaderboard.neural.batches.batcher import Batch
from retrieval_leaderboard.neural.training.exact import gather_rows
from retrieval_leaderboard.neural.training.threads import fuses, in_parts

HIT_SCORE = -65504.0
"""Score of a masked negative: the lowest of fp16. -inf would make NaN of a row with no negative left."""


def scores(queries: Tensor, items: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """float[p] of the pairs, and float[b, m] of the rows with the negatives, masked.

    Args:
        queries: float[b, d].
        items: float[i, d], the vectors of `batch.items`.
        batch: says which pairs there are, and which negatives are none of a row.
    """
    m = len(batch.unused)
    if fuses(queries) and fuses(items):
        hits = batch.hit_row, batch.hit_negative
        return _Scores.apply(queries.contiguous(), items.contiguous(), batch.row, batch.target, m, hits)
    positive = (gather_rows(queries, batch.row) * gather_rows(items, batch.target)).sum(dim=1)
    return positive, batch.masked(queries @ items[:m].T, HIT_SCORE)


class _Scores(torch.autograd.Function):
    """`scores` on a CPU."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        items: Tensor,
        row: Tensor,
        target: Tensor,
        m: int,
        hits: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(queries, items, row, target, *hits)
        ctx.m = m
        positive = queries.new_empty(len(row))
        arrays = [each.detach().numpy() for each in (positive, queries, items, row, target)]
        in_parts(lambda start, stop: of_pairs(start, stop, *arrays), len(row))
        negative = queries @ items[:m].T
        negative[hits] = HIT_SCORE
        return positive, negative

    @staticmethod
    def backward(ctx: Any, of_positive: Tensor, of_negative: Tensor) -> tuple[Tensor | None, ...]:
        queries, items, row, target, *hits = ctx.saved_tensors
        if of_negative[tuple(hits)].any():  # None of the losses here has a slope at so low a score.
            of_negative = of_negative.index_put(tuple(hits), of_negative.new_zeros(()))
        of_queries, of_items = of_negative @ items[: ctx.m], torch.empty_like(items)
        torch.mm(of_negative.T, queries, out=of_items[: ctx.m])
        of_items[ctx.m :] = 0
        weight = of_positive.contiguous()
        for total, place, source, vectors in (
            (of_queries, row, target, items),
            (of_items, target, row, queries),
        ):
            arrays = [each.detach().numpy() for each in (total, place, source, weight, vectors)]
            _add_in_parts(arrays)
        return of_queries, of_items, None, None, None, None


def _add_in_parts(arrays: list[np.ndarray[Any, Any]]) -> None:
    in_parts(lambda start, stop: add_rows(start, stop, *arrays), len(arrays[0]))


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def of_pairs(start, stop, positive, queries, items, row, target):
    """Write the inner products of the pairs `start`..`stop` - 1 to `positive`.

    Args:
        start, stop: the pairs.
        positive: float32[p].
        queries, items: float32[b, d], float32[i, d].
        row, target: int64[p].
    """
    for pair in range(start, stop):
        query, item, total = queries[row[pair]], items[target[pair]], np.float32(0)
        for d in range(len(query)):
            total += query[d] * item[d]
        positive[pair] = total


@njit(cache=True, nogil=True)
def add_rows(start, stop, total, place, source, weight, vectors):
    """Add weight[p] · vectors[source[p]] to total[place[p]], for every place[p] of `start`..`stop` - 1.

    Threads share the rows added to, as in `sums.spread`.

    Args:
        start, stop: the rows of `total`.
        total: float32[n, d].
        place, source: int64[p].
        weight: float32[p].
        vectors: float32[k, d].
    """
    for pair in range(len(place)):
        if start <= place[pair] < stop:
            into, added, share = total[place[pair]], vectors[source[pair]], weight[pair]
            for d in range(len(added)):
                into[d] += share * added[d]
