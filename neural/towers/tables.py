"""Embedding tables of which a training step touches only the rows it needs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retrieval_leaderboard.neural.towers.distinct import all_different, distinct, would_sync
from retrieval_leaderboard.neural.towers.neighbors import Neighbors
from retrieval_leaderboard.neural.training.exact import gather_rows


@dataclass(frozen=True)
class Lease:
    """Rows of a table that take part in a step."""

    row: Tensor
    """int64[r]: their numbers"""
    leaf: Tensor
    """float32[r, dim]: the leaf of the autograd graph that stands for them"""
    neighbors: Neighbors | None = None
    """What was added to the rows in `leaf`, where something was: its gradient is the sums', not the rows'."""


def normal(rows: int, dim: int, scale: float, generator: torch.Generator | None) -> Tensor:
    """float32[rows, dim] drawn from N(0, scale²); zeros without a generator, for weights to be loaded.

    Drawing on the meta device would import the compiler, which takes longer than a small training.
    """
    drawn = generator is not None
    return torch.randn(rows, dim, generator=generator) * scale if drawn else torch.zeros(rows, dim)


Found = tuple[Tensor, Tensor, Tensor]
"""Rows, their vectors, and for each of the ids asked for its place, as of `Table.lease`"""


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
            weight[:rows] = normal(rows, dim, scale, generator)
        self.register_buffer("weight", weight)
        self.leases: list[Lease] = []
        """Those of this step"""
        self.ahead: list[Found] | None = None
        """While calls of `lease` are made ahead of a step, what they found, for the step to be handed"""
        self.handed: list[Found] = []
        """What is left of that in the step, whose calls come in the same order"""

    @property
    def rows(self) -> Tensor:
        """float32[rows, dim]: every row."""
        return self.weight[:-1]

    def lease(self, ids: Tensor, neighbors: Neighbors | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """The distinct `ids` (int64, repeats allowed), their vectors, and for each of `ids` its place.

        On a GPU there are as many places as `ids`, and those left over repeat the last row. While
        gradients are recorded, the vectors are a leaf of the autograd graph. On a CPU they may be those
        with `neighbors`.
        """
        row, vectors, place = self.handed.pop(0) if self.handed else self._found(ids, neighbors)
        return row.clamp(max=len(self.weight) - 2), vectors, place

    def forward(self, ids: Tensor, neighbors: Neighbors | None = None) -> Tensor:
        """The vector of each of `ids`, with `neighbors` where they are given: float32[*ids.shape, dim]."""
        if not torch.is_grad_enabled():
            return gather_rows(self.weight, ids) if neighbors is None else neighbors.mixed(self.weight, ids)
        if neighbors is not None and would_sync(self.weight):
            _, vectors, place = self.lease(neighbors.item[ids])
            return neighbors.sums(vectors, place, ids)
        if not would_sync(ids) and ids.dim() == 1 and all_different(ids, len(self.weight) - 1):
            return self._leaf(ids, neighbors)
        _, vectors, place = self.lease(ids, neighbors)
        return gather_rows(vectors, place)

    def _found(self, ids: Tensor, neighbors: Neighbors | None) -> Found:
        """Made anew for `lease`; unused places hold the last row's number."""
        row, place = distinct(ids, len(self.weight) - 1)
        found = row, self._leaf(row, neighbors), place
        if self.ahead is not None:
            self.ahead.append(found)
        return found

    def _leaf(self, row: Tensor, neighbors: Neighbors | None) -> Tensor:
        """float32[r, dim]: the vectors of `row`, int64[r], all different, as `lease` gives them."""
        leaf = gather_rows(self.weight, row) if neighbors is None else neighbors.mixed(self.weight, row)
        if torch.is_grad_enabled() and self.ahead is None:
            self.leases.append(Lease(row, leaf.requires_grad_(), neighbors))
        return leaf

    def touched(self) -> Lease | None:
        """The rows leased since the last step, whose `leaf` has a `grad`, as one lease.

        None where nothing was leased, or no lease took part in the loss.
        """
        parts = [lease for lease in self.leases if lease.leaf.grad is not None]
        if len(parts) < 2:
            return parts[0] if parts else None
        row, place = distinct(torch.cat([part.row for part in parts]), len(self.weight) - 1)
        grads = torch.cat([part.leaf.grad for part in parts])  # type: ignore[misc]
        leaf = gather_rows(self.weight, row)
        leaf.grad = torch.zeros_like(leaf).index_add_(0, place, grads)
        return Lease(row, leaf, parts[0].neighbors)
