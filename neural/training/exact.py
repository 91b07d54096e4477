"""Operations whose results, to the last bit, do not depend on the number of threads.

PyTorch cuts long vectors into a part a thread: a sum then adds up otherwise, and some functions round
otherwise at the end of a part than within it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval_leaderboard.neural.training.threads import fuses

WIDTH = 1024


def total(values: Tensor) -> Tensor:
    """The sum of `values`, float[n], as float[]: of rows of `WIDTH` first, then of their sums."""
    rows = functional.pad(values, (0, -len(values) % WIDTH)).view(-1, WIDTH)
    return rows.sum(dim=1).sum()


def softplus(values: Tensor) -> Tensor:
    """log(1 + exp(x)) of every one of `values`."""
    return -functional.logsigmoid(-values)


def gather_rows(vectors: Tensor, place: Tensor) -> Tensor:
    """`vectors[place]`, whose gradients are summed in the same order every time.

    Those of plain indexing are summed by several threads at once, in whatever order they come; and on a CPU
    it takes several times as long.
    """
    return functional.embedding(place, vectors)


def of_pairs(values: Tensor, row: Tensor) -> Tensor:
    """`values[row]`, float[p], of a number a row, float[b]; gradients as those of `gather_rows`."""
    if fuses(values):  # The gradients are added by one thread.
        return values.index_select(0, row)
    return gather_rows(values.unsqueeze(1), row).squeeze(1)


class LayerNorm(nn.LayerNorm):
    """Layer normalization whose gradients of scale and shift are summed row by row."""

    def forward(self, rows: Tensor) -> Tensor:
        """float32[n, width] of float[n, width]."""
        return _Normalize.apply(rows.float(), self.weight, self.bias, self.eps)


class _Normalize(torch.autograd.Function):
    """PyTorch's own kernels but for those two sums; it keeps no more than they do."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        shape = rows.shape[-1:]
        normalized, mean, scale = torch.native_layer_norm(rows, shape, weight, bias, eps)
        ctx.save_for_backward(rows, mean, scale, weight, bias)
        return normalized

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        rows, mean, scale, weight, bias = ctx.saved_tensors
        of_rows, _, _ = torch.ops.aten.native_layer_norm_backward(
            grad, rows, rows.shape[-1:], mean, scale, weight, bias, [True, False, False]
        )
        return of_rows, ((rows - mean) * scale).mul_(grad).sum(dim=0), grad.sum(dim=0), None


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization by sums over rows; of one row, which has no deviation, by the running means."""

    def forward(self, rows: Tensor) -> Tensor:
        """float[n, width] of float[n, width]."""
        if not self.training or len(rows) == 1:
            running = (self.running_mean, self.running_var, self.weight, self.bias)
            return functional.batch_norm(rows, *running, eps=self.eps)
        rows = rows.float()
        mean = rows.mean(dim=0)  # (width,)
        centered = rows - mean
        variance = (centered**2).mean(dim=0)  # (width,)
        self._track(mean.detach(), variance.detach() * len(rows) / (len(rows) - 1))
        return centered * torch.rsqrt(variance + self.eps) * self.weight + self.bias

    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running mean and variance, float[width], by `momentum`."""
        for running, now in ((self.running_mean, mean), (self.running_var, variance)):
            assert running is not None and self.momentum is not None
            running.lerp_(now, self.momentum)
