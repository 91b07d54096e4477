"""What processes that train together hand to each other; every call here is one that all of them make.

Notation: w processes, n rows, d dimensions.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor, distributed
from torch.nn import functional

from retrieval_leaderboard.support import ranks

SENT: Counter[str] = Counter()
"""Bytes that this process has sent, by what they were, where each part goes around a ring"""

# The names of PyTorch 2.13, and those before it.
_all_gather = getattr(distributed, "all_gather_single", None) or distributed.all_gather_into_tensor
_reduce_scatter = getattr(distributed, "reduce_scatter_single", None) or distributed.reduce_scatter_tensor


def counts(numbers: list[int]) -> list[list[int]]:
    """The `numbers` of every process, as many in each."""
    mine = torch.tensor(numbers)
    found = mine.new_empty(ranks.world() * len(numbers))
    _all_gather(found, mine)
    _count("counts", mine, ranks.world() - 1)
    return found.view(ranks.world(), -1).tolist()


def gather_rows(rows: Tensor, what: str, sizes: list[int] | None = None) -> Tensor:
    """The rows of every process, one process after the other; without a gradient.

    Args:
        rows: [n, …]; n differs between processes.
        what: by which name bytes are counted.
        sizes: how many rows each process has; asked for where they are not known.
    """
    if sizes is None:
        sizes = [number for [number] in counts([len(rows)])]
    most = max(sizes)
    padded = rows.new_zeros(most, *rows.shape[1:])
    padded[: len(rows)] = rows
    found = rows.new_empty(ranks.world() * most, *rows.shape[1:])
    _all_gather(found, padded)
    _count(what, padded, ranks.world() - 1)
    return torch.cat([part[:size] for part, size in zip(found.split(most or 1), sizes, strict=False)])


def exchange(rows: Tensor, given: list[int], taken: list[int], what: str) -> Tensor:
    """What the others give this process, one after the other.

    Args:
        rows: [n, …], of which the first given[0] go to process 0, and so on.
        given, taken: how many rows go to and come from each process.
        what: as of `gather_rows`.
    """
    found = rows.new_empty(sum(taken), *rows.shape[1:])
    distributed.all_to_all_single(found, rows.contiguous(), taken, given)
    own = given[ranks.rank()]
    _count(what, rows, (len(rows) - own) / max(len(rows), 1))
    return found


def sum_up(values: Tensor, what: str) -> None:
    """Replace `values` by their sum over all processes."""
    distributed.all_reduce(values)
    _count(what, values, 2 * (ranks.world() - 1) / ranks.world())


def share(total: int, rank: int | None = None) -> slice:
    """Which of `total` things are this process's, or that of `rank`: as torch.chunk deals them out."""
    size = -(-total // ranks.world())
    start = min(total, size * (ranks.rank() if rank is None else rank))
    return slice(start, min(total, start + size))


class GatherShares(torch.autograd.Function):
    """`share`s of float[n, d] to all of it, in every process; gradients go back as sums over processes."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, total: int) -> Tensor:
        """float[total, d] of float[share, d]."""
        ctx.own, size = len(own), -(-total // ranks.world())
        padded = functional.pad(own, (0, 0, 0, size - len(own))).contiguous()
        found = own.new_empty(ranks.world() * size, own.shape[1])
        _all_gather(found, padded)
        _count("item vectors", padded, ranks.world() - 1)
        return found[:total]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """float[share, d] of float[total, d]."""
        size = -(-len(grad) // ranks.world())
        padded = functional.pad(grad, (0, 0, 0, ranks.world() * size - len(grad))).contiguous()
        found = grad.new_empty(size, grad.shape[1])
        _reduce_scatter(found, padded)
        _count("gradients of item vectors", found, ranks.world() - 1)
        return found[: ctx.own], None


class SumOver(torch.autograd.Function):
    """The sum over all processes; so is its gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """float[…] of float[…]."""
        summed = values.clone()
        sum_up(summed, "sums of batches")
        return summed

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """float[…] of float[…]."""
        summed = grad.clone()
        sum_up(summed, "sums of batches")
        return summed


def _count(what: str, values: Tensor, share: float) -> None:
    SENT[what] += round(values.numel() * values.element_size() * share)
