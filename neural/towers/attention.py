"""Attention of one query a row to the newest items of its history.

Notation: b rows, k heads, l positions, n item vectors, d dimensions, p places in all histories.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.towers.history import QueryBatch
from retrieval_leaderboard.neural.training.exact import gather_rows
from retrieval_leaderboard.neural.training.row_sums import FAST, fast_exp
from retrieval_leaderboard.neural.training.threads import fuses, in_parts


def attend(query: Tensor, items: Tensor, position: Tensor, place: Tensor, queries: QueryBatch) -> Tensor:
    """float[b, k, d]: Σⱼ softmaxⱼ(q · xⱼ / √d) xⱼ for each head's q, where xⱼ = items[placeⱼ] + positionⱼ.

    The j-th item counts from the newest. What a row without a history gets is no number of use.

    Args:
        query: float[b, k, d].
        items: float[n, d].
        position: float[l, d]; older items than the l newest are not looked at.
        place: int64[p]: which vector is each history item's.
        queries: whose rows the items belong to.
    """
    if fuses(query) and fuses(items):
        return _Attention.apply(query.contiguous(), items, position, place, queries.offsets)
    places, present = _padded(place, queries, len(position))
    return attend_padded(query, gather_rows(items, places) + position, present)


def attend_padded(query: Tensor, keys: Tensor, present: Tensor) -> Tensor:
    """`attend` to the vectors xⱼ, float[b, l, d], that are `present`, bool[b, l]."""
    # A history without items attends to its padding.
    mask = (present | ~present.any(dim=1, keepdim=True)).view(len(query), 1, 1, -1)
    keys = keys.unsqueeze(1)  # (b, 1, l, d)
    return functional.scaled_dot_product_attention(query.unsqueeze(2), keys, keys, mask).squeeze(2)


def _padded(place: Tensor, queries: QueryBatch, longest: int) -> tuple[Tensor, Tensor]:
    """int64[b, longest]: the places of the newest items, the newest first; bool: which there are."""
    # Older items fall into a column too many, which is cut off.
    cell = queries.row, queries.from_end.clamp(max=longest)
    places = place.new_full((len(queries.user), longest + 1), -1).index_put(cell, place)[:, :-1]
    return places.clamp(min=0), places >= 0


class _Attention(torch.autograd.Function):
    """`attend` on a CPU, where nothing is padded and no vector is copied; 0 for a row without a history."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, items: Tensor, position: Tensor, place: Tensor, offsets: Tensor
    ) -> Tensor:
        share = query.new_zeros(*query.shape[:2], len(position))
        mixed = torch.zeros_like(query)
        ctx.save_for_backward(query, items.contiguous(), position, place, offsets, share)
        arrays = [each.detach().numpy() for each in (*ctx.to_save, mixed)]
        in_parts(lambda start, stop: _mix(start, stop, *arrays), len(query))
        return mixed

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        query, items, _, place, offsets, share = saved
        grad, slope, of_query = grad.contiguous(), torch.zeros_like(share), torch.zeros_like(query)
        arrays = [each.detach().numpy() for each in (*saved, grad, slope, of_query)]
        in_parts(lambda start, stop: _slopes(start, stop, *arrays), len(query))
        of_items = torch.zeros_like(items)
        arrays = [each.detach().numpy() for each in (of_items, place, offsets, share, grad, slope, query)]
        in_parts(lambda start, stop: _spread(start, stop, *arrays), len(items))
        of_position = _over_rows(share, grad) + _over_rows(slope, query)
        return of_query, of_items, of_position, None, None


def _over_rows(coefficient: Tensor, vectors: Tensor) -> Tensor:
    """float[l, d]: Σ coefficient · vector over rows and heads, of float[b, k, l] and float[b, k, d]."""
    return coefficient.flatten(0, 1).T @ vectors.flatten(0, 1)


@njit(inline="always")
def _gather(keys, items, position, place, first, last):
    """Write the vectors of the newest items of `place[first:last]` to `keys`, float32[l, d]; their number."""
    count = min(last - first, len(position))
    for j in range(count):
        key, item, shift = keys[j], items[place[last - 1 - j]], position[j]
        for d in range(len(key)):
            key[d] = item[d] + shift[d]
    return count


@njit(inline="always")
def _inner(x, y):
    total = np.float32(0)
    for d in range(len(x)):
        total += x[d] * y[d]
    return total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _mix(start, stop, query, items, position, place, offsets, share, mixed):
    """Write `share` and `mixed` of the rows `start`..`stop` - 1.

    Args:
        start, stop: the rows.
        query, items, position: float32[b, k, d], float32[n, d], float32[l, d].
        place, offsets: int64[p], int64[b + 1].
        share: float32[b, k, l]: the softmax; 0 beyond a history's end.
        mixed: float32[b, k, d], of zeros.
    """
    keys, scale = np.empty(position.shape, np.float32), np.float32(1 / math.sqrt(position.shape[1]))
    for i in range(start, stop):
        count = _gather(keys, items, position, place, offsets[i], offsets[i + 1])
        for k in range(query.shape[1]):
            shares, top, total = share[i, k], np.float32(-np.inf), np.float32(0)
            for j in range(count):
                shares[j] = scale * _inner(query[i, k], keys[j])
                top = max(top, shares[j])
            for j in range(count):
                shares[j] = fast_exp(shares[j] - top)
                total += shares[j]
            into = mixed[i, k]
            for j in range(count):
                shares[j] /= total
                for d in range(len(into)):
                    into[d] += shares[j] * keys[j, d]


@njit(cache=True, nogil=True, fastmath=FAST)
def _slopes(start, stop, query, items, position, place, offsets, share, grad, slope, of_query):
    """Write the gradients of the scores and queries of the rows `start`..`stop` - 1; else as `_mix`.

    Args:
        grad: float32[b, k, d], of `mixed`.
        slope: float32[b, k, l], of zeros: the gradient of q · xⱼ.
        of_query: float32[b, k, d], of zeros.
    """
    keys, scale = np.empty(position.shape, np.float32), np.float32(1 / math.sqrt(position.shape[1]))
    for i in range(start, stop):
        count = _gather(keys, items, position, place, offsets[i], offsets[i + 1])
        for k in range(query.shape[1]):
            shares, slopes, mean = share[i, k], slope[i, k], np.float32(0)
            for j in range(count):
                slopes[j] = _inner(grad[i, k], keys[j])
                mean += shares[j] * slopes[j]
            into = of_query[i, k]
            for j in range(count):
                slopes[j] = scale * shares[j] * (slopes[j] - mean)
                for d in range(len(into)):
                    into[d] += slopes[j] * keys[j, d]


@njit(cache=True, nogil=True, fastmath={"contract"})
def _spread(start, stop, of_items, place, offsets, share, grad, slope, query):
    """Add to of_items[v] what the rows say of item v, for every v of `start`..`stop` - 1.

    Threads share the vectors added to, as in `sums.spread`; else as `_slopes`.

    Args:
        start, stop: the vectors.
        of_items: float32[n, d], of zeros.
    """
    for i in range(len(offsets) - 1):
        for j in range(min(offsets[i + 1] - offsets[i], share.shape[2])):
            v = place[offsets[i + 1] - 1 - j]
            if start <= v < stop:
                into = of_items[v]
                for k in range(share.shape[1]):
                    a, b, mixed, asked = share[i, k, j], slope[i, k, j], grad[i, k], query[i, k]
                    for d in range(len(into)):
                        into[d] += a * mixed[d] + b * asked[d]
