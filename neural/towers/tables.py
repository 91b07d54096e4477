"""Embedding tables of which a training step touches only the rows it needs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retrieval_leaderboard.neural.towers.distinct import distinct
from retrieval_leaderboard.neural.training.exact import gather_rows


class Table(nn.Module):
    """One vector a row, kept out of autograd.

    A step leases the rows it needs as small leaf tensors, whose gradients are dense and no larger
    than the batch; the optimizer writes the leased rows back. The cost of a step thus does not
    depend on the number of rows.
    """

    weight: Tensor
    """float32[rows + 1, dim]: the last row stands behind the unused places of a lease"""

    def __init__(self, rows: int, dim: int, scale: float, generator: torch.Generator | None) -> None:
        """Rows are drawn from N(0, scale²); without a generator they are zero, for weights to be loaded."""
        super().__init__()
        weight = torch.zeros(rows + 1, dim)
        if generator is not None:
            weight[:rows] = torch.randn(rows, dim, generator=generator) * scale
        self.register_buffer("weight", weight)
        self.leases: list[tuple[Tensor, Tensor]] = []
        """Row numbers int64[r] and the leaf float32[r, dim] that stands for them in this step."""

    @property
    def rows(self) -> Tensor:
        """float32[rows, dim]: every row."""
        return self.weight[:-1]

    def lease(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The distinct `ids` (int64, repeats allowed), their vectors, and for each of `ids` its place.

        On a GPU there are as many places as `ids`, and those left over repeat the last row. While
        gradients are recorded, the vectors are a leaf of the autograd graph.
        """
        row, place = distinct(ids, len(self.weight) - 1)
        leaf = self.weight[row]  # (distinct, dim)
        if torch.is_grad_enabled():
            self.leases.append((row, leaf.requires_grad_()))
        return row.clamp(max=len(self.weight) - 2), leaf, place

    def forward(self, ids: Tensor) -> Tensor:
        """The vector of each of `ids`: float32[*ids.shape, dim]."""
        if not torch.is_grad_enabled():
            return self.weight[ids]
        _, vectors, place = self.lease(ids)
        return gather_rows(vectors, place)

    def touched(self) -> tuple[Tensor, Tensor] | None:
        """The rows leased since the last step, int64[r], and their vectors, whose `grad` is set.

        None where nothing was leased, or no lease took part in the loss.
        """
        parts = [(row, leaf) for row, leaf in self.leases if leaf.grad is not None]
        if len(parts) < 2:
            return parts[0] if parts else None
        row, place = distinct(torch.cat([row for row, _ in parts]), len(self.weight) - 1)
        grads = torch.cat([leaf.grad for _, leaf in parts])  # type: ignore[misc]
        leaf = self.weight[row]
        leaf.grad = torch.zeros_like(leaf).index_add_(0, place, grads)
        return row, leaf
