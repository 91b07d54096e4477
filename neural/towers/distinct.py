"""Distinct numbers, in a form whose size the host knows before the device has found them."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from retrieval_leaderboard.support.devices import DEVICES

MANY = 16
"""On a CPU numbers are marked on a list of all, where that is at most so many times as long as theirs."""


def would_sync(tensor: Tensor) -> bool:
    """Whether the host would wait for the device to learn how many results there are."""
    return DEVICES[tensor.device.type].asynchronous


def distinct(ids: Tensor, filler: int) -> tuple[Tensor, Tensor]:
    """The distinct `ids` in ascending order, and for each of `ids` the place of its own.

    Where the host would wait there are as many places as `ids`, those left over hold `filler`: it then never
    waits for the device to count.

    Args:
        ids: int64 of any shape, n in all and none above `filler`.
        filler: what unused places hold.

    Returns:
        int64[m] with m ≤ n, or m = n where the host would wait, and int64 of the shape of `ids`.
    """
    if not would_sync(ids):
        if filler >= MANY * ids.numel():
            return torch.unique(ids, return_inverse=True)
        values, place = mark(ids.flatten().numpy(), filler)
        return torch.from_numpy(values), torch.from_numpy(place).view_as(ids)
    ordered, order = torch.sort(ids.flatten())
    begins = torch.ones_like(ordered, dtype=torch.bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    rank = torch.cumsum(begins, 0) - 1  # (n,)
    values = torch.full_like(ordered, filler).scatter_(0, rank, ordered)
    return values, torch.empty_like(rank).scatter_(0, order, rank).view_as(ids)


def all_different(ids: Tensor, filler: int) -> bool:
    """Whether no number stands in `ids`, int64[n], twice; for a CPU. None is above `filler`."""
    return (
        not repeats(ids.numpy(), filler) if filler < MANY * len(ids) else len(torch.unique(ids)) == len(ids)
    )


def where_in(ordered: Tensor, items: Tensor, filler: int | None = None) -> tuple[Tensor, Tensor]:
    """bool[n]: whether each of `items` stands in `ordered`, which is sorted; and int64[n]: where.

    With a `filler`, which no number is above, a list of all is made where that is faster than a search.
    """
    if filler is not None and not would_sync(items) and filler < MANY * len(items):
        found, at = look_up(ordered.numpy(), items.numpy(), filler)
        return torch.from_numpy(found), torch.from_numpy(at)
    place = torch.searchsorted(ordered, items).clamp_(max=len(ordered) - 1)
    return ordered[place] == items, place


@njit(cache=True, nogil=True)
def mark(ids, filler):
    """`distinct` of `ids`, int64[n], by marks on a list of all numbers: for many `ids` faster than a sort."""
    rank = np.zeros(filler + 1, np.int32)
    for each in ids:
        rank[each] = 1
    values, n = np.empty(min(len(ids), filler + 1), np.int64), 0
    for each in range(filler + 1):
        if rank[each]:
            values[n], rank[each] = each, n
            n += 1
    place = np.empty(len(ids), np.int64)
    for at in range(len(ids)):
        place[at] = rank[ids[at]]
    return values[:n], place


@njit(cache=True, nogil=True)
def repeats(ids, filler):
    """Whether a number stands in `ids`, int64[n], twice."""
    seen = np.zeros(filler + 1, np.bool_)
    for each in ids:
        if seen[each]:
            return True
        seen[each] = True
    return False


@njit(cache=True, nogil=True)
def look_up(numbers, ids, filler):
    """bool[n]: whether each of `ids`, int64[n], is among `numbers`, int64[m]; int64[n]: where, or 0."""
    place = np.full(filler + 1, -1, np.int32)
    for at in range(len(numbers)):
        place[numbers[at]] = at
    found, where = np.empty(len(ids), np.bool_), np.empty(len(ids), np.int64)
    for at in range(len(ids)):
        where[at] = place[ids[at]]
        found[at] = where[at] >= 0
        where[at] = max(where[at], 0)
    return found, where
