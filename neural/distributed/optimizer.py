"""The optimizer of several processes: gradients of all are summed before they are unscaled and clipped."""

from __future__ import annotations

import torch
from torch import Tensor

from retrieval_leaderboard.neural.distributed import exchange
from retrieval_leaderboard.neural.training.optimizer import RowwiseAdamW
from retrieval_leaderboard.support import ranks


class SharedAdamW(RowwiseAdamW):
    """`RowwiseAdamW` of tables that every process has: all of them take the same step."""

    def collect(self) -> list[Tensor]:
        """As `RowwiseAdamW.collect`, the gradients of all processes."""
        self._sum_dense()
        return super().collect()

    def _sum_dense(self) -> None:
        """Sum the gradients of dense parameters, where any process has one."""
        has = exchange.counts([int(each.grad is not None) for each in self.dense])
        for weight, here in zip(self.dense, zip(*has, strict=True), strict=True):
            if any(here) and weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        grads = [each.grad for each in self.dense if each.grad is not None]
        if not grads:
            return
        together = torch.cat([grad.flatten() for grad in grads])
        exchange.sum_up(together, "dense gradients")
        parts = together.split([grad.numel() for grad in grads])
        for grad, part in zip(grads, parts, strict=True):
            grad.copy_(part.view_as(grad))


class ShardedAdamW(SharedAdamW):
    """`SharedAdamW` of tables whose rows are dealt out, each with its moments."""

    @torch.no_grad()
    def clip(self, longest: float) -> None:
        """As `RowwiseAdamW.clip`, by the length of the gradients of all rows, wherever they are."""
        rows = [part.leaf.grad for part in self.touched if part is not None and part.leaf.grad is not None]
        dense = [each.grad for each in self.dense if each.grad is not None]
        square = _square(rows, self.steps)
        exchange.sum_up(square, "length of gradients")
        length = (square + _square(dense, self.steps)).sqrt()
        factor = (longest / (length + 1e-6)).clamp(max=1.0)
        for grad in (*rows, *dense):
            grad.mul_(factor.to(grad.dtype))


def agree(scaler: torch.amp.GradScaler, optimizer: RowwiseAdamW) -> None:
    """Have all processes skip a step whose gradients overflowed in any; call it after `unscale_`."""
    if scaler.is_enabled():
        for found in scaler._found_inf_per_device(optimizer).values():
            found.copy_(ranks.sum_over(found).clamp(max=1))


def _square(grads: list[Tensor], like: Tensor) -> Tensor:
    """float64[]: the sum of the squares of all numbers of `grads`."""
    return sum((grad.double().square().sum() for grad in grads), torch.zeros_like(like))
