"""Embedding tables of which a training step touches only the rows it needs."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Table(nn.Module):
    """One vector a row, kept out of autograd.

    A step leases the rows it needs as a small leaf tensor, whose gradient is dense and no larger
    than the batch; the optimiser writes the leased rows back. The cost of a step thus does not
    depend on the number of rows.
    """

    weight: Tensor
    """float32[rows, dim]"""

    def __init__(self, rows: int, dim: int, scale: float, generator: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("weight", torch.randn(rows, dim, generator=generator) * scale)
        self.leased: tuple[Tensor, Tensor] | None = None
        """Row numbers int64[r] and the leaf float32[r, dim] that stands for them in this step."""

    def rows(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors and, for each of `ids` (int64, repeats allowed), which of the vectors is its own.

        While gradients are recorded this leases the distinct rows, at most once a step; otherwise
        the vectors are the whole table.
        """
        if not torch.is_grad_enabled():
            return self.weight, ids
        if self.leased is not None:
            raise RuntimeError("a table is leased once a step")
        distinct, index = torch.unique(ids, return_inverse=True)
        leaf = self.weight[distinct].requires_grad_()  # (distinct, dim)
        self.leased = distinct, leaf
        return leaf, index

    def forward(self, ids: Tensor) -> Tensor:
        """The vector of each of `ids`: float32[*ids.shape, dim]."""
        vectors, index = self.rows(ids)
        return vectors[index]
