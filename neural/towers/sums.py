"""Weighted sums of vectors: what histories are, and items with their neighbors.

Notation: m vectors of d dimensions, n sums, p places in all of them.
"""

from __future__ import annotations

from typing import Any

import torch
from numba import njit
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.towers.distinct import would_sync
from retrieval_leaderboard.neural.training.threads import in_parts


def weighted_sums(vectors: Tensor, place: Tensor, weight: Tensor, offsets: Tensor) -> Tensor:
    """float[n, d]: Σ weight · vectors[place] over each stretch of places; nothing is padded.

    Args:
        vectors: float[m, d].
        place: int64[p]: which vector.
        weight: float[p].
        offsets: int64[n + 1]: sum i has the places from offsets[i] to offsets[i + 1].
    """
    if would_sync(vectors) or weight.requires_grad:
        return plain_sums(vectors, place, weight, offsets)
    return WeightedSums.apply(vectors, place, weight, offsets)


def plain_sums(vectors: Tensor, place: Tensor, weight: Tensor, offsets: Tensor) -> Tensor:
    """`weighted_sums` as PyTorch has them, with a gradient of `weight` too."""
    if not len(place):
        return vectors.new_zeros(len(offsets) - 1, vectors.shape[1])
    return functional.embedding_bag(
        place, vectors, offsets, mode="sum", per_sample_weights=weight, include_last_offset=True
    )


class WeightedSums(torch.autograd.Function):
    """`plain_sums` on a CPU, whose own gradient sorts all places first: this takes a third of its time."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, place: Tensor, weight: Tensor, offsets: Tensor) -> Tensor:
        """float[n, d]"""
        ctx.save_for_backward(place, weight, offsets)
        ctx.vectors = len(vectors)
        return plain_sums(vectors, place, weight, offsets)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        """float[m, d]: the gradient of `vectors`."""
        total = grad.new_zeros(ctx.vectors, grad.shape[1])
        arrays = [each.numpy() for each in (total, *ctx.saved_tensors, grad.contiguous())]
        in_parts(lambda start, stop: spread(start, stop, *arrays), ctx.vectors)
        return total, None, None, None


@njit(cache=True, nogil=True)
def spread(start, stop, total, place, weight, offsets, grad):
    """Add weight[p] · grad[i] to total[place[p]], for every p of sum i whose place is in `start`..`stop` - 1.

    Threads share the vectors added to: no two write to the same one, and each sum has its terms in the
    same order whatever the number of threads.

    Args:
        start, stop: the vectors.
        total: float32[m, dim].
        place: int64[p].
        weight: float32[p].
        offsets: int64[n + 1]: sum i has the places from offsets[i] to offsets[i + 1].
        grad: float32[n, dim].
    """
    for i in range(len(offsets) - 1):
        added = grad[i]
        for p in range(offsets[i], offsets[i + 1]):
            if start <= place[p] < stop:
                row, share = total[place[p]], weight[p]
                for d in range(len(added)):
                    row[d] += share * added[d]
