"""Embedding tables of several processes: each has all rows, or each has a part of them.

Either is a `Table` to the towers: it is read by leases and written by the optimizer, which asks `touched` for
the rows of a step with their gradients. All processes lease and touch at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.distributed import exchange
from retrieval_leaderboard.neural.towers.distinct import distinct
from retrieval_leaderboard.neural.towers.neighbors import Neighbors
from retrieval_leaderboard.neural.towers.tables import Lease, Table
from retrieval_leaderboard.neural.training.exact import gather_rows
from retrieval_leaderboard.support import ranks

NOTHING = torch.empty(0, dtype=torch.int64)


class ReplicatedTable(Table):
    """All rows in every process; the gradients of all are gathered, and every process updates alike."""

    @classmethod
    def of(cls, table: Table) -> Self:
        """`table`, which is the same in every process."""
        made = cls(0, table.weight.shape[1], 0.0, None)
        made.weight = table.weight
        return made

    def touched(self) -> Lease | None:
        """As `Table.touched`, of the rows that any process leased."""
        if not self.leases:
            return None
        mine, neighbors = super().touched(), self.leases[0].neighbors
        if mine is None:
            row, grad = self.leases[0].row[:0], self.weight[:0]
        else:
            assert mine.leaf.grad is not None
            row, grad = mine.row, mine.leaf.grad
        sizes = [number for [number] in exchange.counts([len(row)])]
        grads = exchange.gather_rows(grad, "row gradients", sizes)
        row, place = distinct(exchange.gather_rows(row, "row ids", sizes), len(self.weight) - 1)
        return _summed(self.weight, row, place, grads, neighbors)


@dataclass(frozen=True)
class Fetched(Lease):
    """Rows that lie in several processes."""

    given: tuple[int, ...] = ()
    """How many of the rows each process gave"""
    asked: Tensor = NOTHING
    """int64[a]: the rows of this process that the others leased with the same call, by process"""
    taken: tuple[int, ...] = ()
    """How many of `asked` each process leased"""


class ShardedTable(Table):
    """A stretch of the rows in each process, together with their moments: rows travel to where they are
    leased, and their gradients travel back. Every process has a spare last row of its own.
    """

    total: int
    """Rows in all processes"""
    edges: Tensor
    """int64[w + 1]: where the rows of each process begin"""

    @classmethod
    def of(cls, table: Table) -> Self:
        """Of `table`, which is the same in every process, the part of this one."""
        made = cls(0, table.weight.shape[1], 0.0, None)
        made.total = len(table.rows)
        own = exchange.share(made.total)
        made.weight = torch.cat([table.weight[own], table.weight[-1:]])
        starts = [exchange.share(made.total, rank).start for rank in range(ranks.world())]
        made.register_buffer("edges", torch.tensor([*starts, made.total]), persistent=False)
        return made

    def whole(self) -> Tensor:
        """float32[total + 1, d]: the rows of all processes and a spare one, in every process."""
        return functional.pad(exchange.gather_rows(self.rows, "whole tables"), (0, 0, 0, 1))

    def lease(self, ids: Tensor, neighbors: Neighbors | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """As `Table.lease`; with `neighbors` the vectors are no leaf."""
        row, place = distinct(ids, self.total)
        kept = row.clamp(max=self.total - 1)
        return kept, self._leaf(row, None) if neighbors is None else self(kept, neighbors), place

    def forward(self, ids: Tensor, neighbors: Neighbors | None = None) -> Tensor:
        """As `Table.forward`."""
        if neighbors is not None:
            _, vectors, place = self.lease(neighbors.item[ids])
            return neighbors.sums(vectors, place, ids)
        _, vectors, place = self.lease(ids)
        return gather_rows(vectors, place)

    def _leaf(self, row: Tensor, neighbors: Neighbors | None) -> Tensor:
        """float32[r, d]: the vectors of `row`, int64[r], ascending; of those that are no row, zeros."""
        bounds = torch.searchsorted(row, self.edges).tolist()
        given = [stop - start for start, stop in pairwise(bounds)]
        taken = [each[ranks.rank()] for each in exchange.counts(given)]
        start = self.edges[ranks.rank()]
        asked = exchange.exchange(row[: bounds[-1]], given, taken, "row ids") - start
        vectors = exchange.exchange(gather_rows(self.weight, asked), taken, given, "rows")
        leaf = functional.pad(vectors, (0, 0, 0, len(row) - len(vectors)))
        if torch.is_grad_enabled():
            leaf.requires_grad_()
            self.leases.append(Fetched(row, leaf, None, tuple(given), asked, tuple(taken)))
        return leaf

    def touched(self) -> Lease | None:
        """The rows of this process that any leased since the last step, with their gradients."""
        fetched = [each for each in self.leases if isinstance(each, Fetched)]
        if not fetched:
            return None
        grads = torch.cat([_sent_back(each) for each in fetched])
        row, place = distinct(torch.cat([each.asked for each in fetched]), len(self.weight) - 1)
        return _summed(self.weight, row, place, grads, None)


def _sent_back(lease: Fetched) -> Tensor:
    """float32[a, d]: the gradients of `lease.asked`."""
    grad = torch.zeros_like(lease.leaf) if lease.leaf.grad is None else lease.leaf.grad
    rows = grad[: sum(lease.given)]
    return exchange.exchange(rows, list(lease.given), list(lease.taken), "row gradients")


def _summed(weight: Tensor, row: Tensor, place: Tensor, grads: Tensor, neighbors: Neighbors | None) -> Lease:
    """A lease of `row`, int64[r], with the sums of the `grads`, float32[n, d], of each `place`, int64[n]."""
    leaf = gather_rows(weight, row)
    leaf.grad = torch.zeros_like(leaf).index_add_(0, place, grads)
    return Lease(row, leaf, neighbors)
