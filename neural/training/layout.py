"""Which rows of the tensors of a training each process has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.distributed import exchange
from retrieval_leaderboard.neural.distributed.tables import ShardedTable
from retrieval_leaderboard.neural.towers.tables import Table
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.support import ranks


@dataclass(frozen=True)
class Layout:
    """The tables among the tensors of a `State`, by which another number of processes finds its rows."""

    rows: dict[str, int]
    """Path of a table in the towers → its rows in all processes; in the optimizer's order"""
    sharded: bool
    """Whether each process has its share of them"""

    @classmethod
    def of(cls, towers: TwoTowerModule) -> Self:
        """Of a training of `towers`."""
        tables = _tables(towers)
        sharded = any(isinstance(table, ShardedTable) for table in tables.values())
        return cls({path: _rows(table) for path, table in tables.items()}, sharded)

    def total(self, name: str) -> int | None:
        """Rows, in all processes, of the tensor that a state has by `name`; None where it is of no table."""
        kind, _, rest = name.partition(".")
        if kind in ("towers", "best"):
            return self.rows.get(rest.removesuffix(".weight"))
        place, every = rest.partition(".")[0], list(self.rows.values())
        numbered = kind in ("optimizer", "averaging") and place.isdecimal() and int(place) < len(every)
        return every[int(place)] if numbered else None

    def own(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Of the tensors of one process's state those rows that this process has."""
        if not self.sharded:
            return tensors
        return {name: self._own(name, each) for name, each in tensors.items()}

    def _own(self, name: str, tensor: Tensor) -> Tensor:
        total = self.total(name)
        if total is None:
            return tensor
        return torch.cat([tensor[exchange.share(total)], tensor[total:]])  # A spare row stays.

    def empty(self, name: str, size: torch.Size, dtype: torch.dtype) -> Tensor:
        """What a stored tensor is to be read into."""
        total = self.total(name)
        if total is None or not self.sharded:
            return torch.empty(size, dtype=dtype)
        own = exchange.share(total)
        return _as_shard(torch.empty(own.stop - own.start, *size[1:], dtype=dtype), total)

    def stored(self, name: str, tensor: Tensor) -> Tensor:
        """`tensor` as it is stored: a table without its spare row, this process's rows as a shard of all."""
        total = self.total(name)
        if total is None:
            return tensor
        own = exchange.share(total) if self.sharded else slice(0, total)
        rows = tensor[: own.stop - own.start]
        return _as_shard(rows, total) if self.sharded else rows

    def read(self, name: str, tensor: Tensor) -> Tensor:
        """What `stored` gave, as a state has it."""
        if self.total(name) is None:
            return tensor
        rows = tensor.to_local() if self.sharded else tensor  # type: ignore[attr-defined]
        return rows if name.startswith("averaging") else functional.pad(rows, (0, 0, 0, 1))


def _tables(towers: TwoTowerModule) -> dict[str, Table]:
    return {path: part for path, part in towers.named_modules() if isinstance(part, Table)}


def _rows(table: Table) -> int:
    return table.total if isinstance(table, ShardedTable) else len(table.rows)


def _as_shard(rows: Tensor, total: int) -> Tensor:
    """A DTensor of `total` rows, as torch.chunk deals them out, of which this process has `rows`, [n, …]."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import DTensor, Shard

    mesh = init_device_mesh("cpu", (ranks.world(),))
    shape = torch.Size([total, *rows.shape[1:]])
    stride = torch.empty(shape, device="meta").stride()
    return DTensor.from_local(rows, mesh, [Shard(0)], run_check=False, shape=shape, stride=stride)
