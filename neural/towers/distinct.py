"""Distinct numbers, in a form whose size the host knows before the device has found them."""

from __future__ import annotations

import torch
from torch import Tensor

from retrieval_leaderboard.support.devices import DEVICES

MANY = 4
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
        return _marked(ids, filler) if filler < MANY * ids.numel() else torch.unique(ids, return_inverse=True)
    ordered, order = torch.sort(ids.flatten())
    begins = torch.ones_like(ordered, dtype=torch.bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    rank = torch.cumsum(begins, 0) - 1  # (n,)
    values = torch.full_like(ordered, filler).scatter_(0, rank, ordered)
    return values, torch.empty_like(rank).scatter_(0, order, rank).view_as(ids)


def _marked(ids: Tensor, filler: int) -> tuple[Tensor, Tensor]:
    """The same by marks on a list of all numbers: for many `ids` faster than a sort."""
    marks = torch.zeros(filler + 1, dtype=torch.bool)
    marks[ids.flatten()] = True
    return torch.nonzero(marks).squeeze(1), (torch.cumsum(marks, 0) - 1)[ids]
