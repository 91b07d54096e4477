"""Batch normalization whose means are those of the rows of all processes."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.distributed.exchange import SumOver
from retrieval_leaderboard.neural.training.exact import BatchNorm
from retrieval_leaderboard.support import ranks


class SharedBatchNorm(BatchNorm):
    """`BatchNorm` of the rows of all processes; torch.nn.SyncBatchNorm is for GPUs alone."""

    @classmethod
    def of(cls, norm: BatchNorm) -> Self:
        """With the weights and means of `norm`."""
        made = cls(norm.num_features, norm.eps, norm.momentum)
        made.load_state_dict(norm.state_dict(), assign=True)
        return made

    def forward(self, rows: Tensor) -> Tensor:
        """float[n, width] of float[n, width]; n may be 0."""
        n = int(ranks.sum_over(np.array([len(rows)]))[0]) if self.training else 0
        if n < 2:
            running = (self.running_mean, self.running_var, self.weight, self.bias)
            return functional.batch_norm(rows, *running, eps=self.eps)
        rows = rows.float()
        mean = SumOver.apply(rows.sum(dim=0)) / n  # (width,)
        centered = rows - mean
        variance = SumOver.apply((centered**2).sum(dim=0)) / n  # (width,)
        self._track(mean.detach(), variance.detach() * n / (n - 1))
        return centered * torch.rsqrt(variance + self.eps) * self.weight + self.bias
