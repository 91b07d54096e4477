"""Who shares a training: nobody, or the processes that torchrun started. Chosen once, at its start."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retrieval_leaderboard.neural.batches.batcher import Batch, Batcher
from retrieval_leaderboard.neural.batches.examples import InteractionTensors
from retrieval_leaderboard.neural.distributed import exchange
from retrieval_leaderboard.neural.distributed.batches import OwnInteractions, SharedBatcher
from retrieval_leaderboard.neural.distributed.norm import SharedBatchNorm
from retrieval_leaderboard.neural.distributed.optimizer import ShardedAdamW, SharedAdamW, agree
from retrieval_leaderboard.neural.distributed.tables import ReplicatedTable, ShardedTable
from retrieval_leaderboard.neural.towers.tables import Table
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.training.exact import BatchNorm
from retrieval_leaderboard.neural.training.optimizer import RowwiseAdamW
from retrieval_leaderboard.support import compute, ranks


class Alone:
    """One process, which has and does everything."""

    interactions: type[InteractionTensors] = InteractionTensors
    batcher: type[Batcher] = Batcher
    optimizer: type[RowwiseAdamW] = RowwiseAdamW

    def prepare(self, towers: TwoTowerModule, seed: int) -> None:
        """Make of fresh towers, the same in all processes, what is shared; call it before they are moved."""

    def vectors(self, towers: TwoTowerModule, batch: Batch) -> tuple[Tensor, Tensor]:
        """Vectors of this process's queries, float[b, d], and of all `batch.items`, float[i, d]."""
        return towers(batch.queries, batch.items)

    def total(self, values: Tensor) -> Tensor:
        """The sum of `values` over all processes, without a gradient."""
        return values

    def count(self, number: int) -> int:
        """The sum of a number over all processes."""
        return number

    def agree(self, scaler: torch.amp.GradScaler, optimizer: RowwiseAdamW) -> None:
        """Have all processes skip a step whose gradients overflowed in any."""

    def whole(self, towers: TwoTowerModule) -> TwoTowerModule:
        """Towers with all rows, which answer without the other processes."""
        return towers


class Together(Alone):
    """Several processes, each with its users' examples and a share of the items to encode."""

    interactions = OwnInteractions
    batcher = SharedBatcher
    optimizer = SharedAdamW
    table: type[ReplicatedTable | ShardedTable] = ReplicatedTable

    def prepare(self, towers: TwoTowerModule, seed: int) -> None:
        """As `Alone.prepare`."""
        for module in list(towers.modules()):
            for name, part in module.named_children():
                shared = self._shared(part)
                if shared is not None:
                    setattr(module, name, shared)
        torch.manual_seed(seed + SEEDS_APART * ranks.rank())  # Dropout is of other rows in each process.

    def _shared(self, part: nn.Module) -> nn.Module | None:
        """What stands for a module where processes share it; None where it stays."""
        if isinstance(part, Table):
            return self.table.of(part)
        return SharedBatchNorm.of(part) if isinstance(part, BatchNorm) else None

    def vectors(self, towers: TwoTowerModule, batch: Batch) -> tuple[Tensor, Tensor]:
        """As `Alone.vectors`; every process encodes its share of the items."""
        total = len(batch.items)
        queries, own = towers(batch.queries, batch.items[exchange.share(total)])
        return queries, exchange.GatherShares.apply(own, total)

    def total(self, values: Tensor) -> Tensor:
        """As `Alone.total`."""
        return ranks.sum_over(values)

    def count(self, number: int) -> int:
        """As `Alone.count`."""
        return sum(each for [each] in exchange.counts([number]))

    def agree(self, scaler: torch.amp.GradScaler, optimizer: RowwiseAdamW) -> None:
        """As `Alone.agree`."""
        agree(scaler, optimizer)


class Sharded(Together):
    """Several processes that deal the rows of tables out, too."""

    optimizer = ShardedAdamW
    table = ShardedTable

    def whole(self, towers: TwoTowerModule) -> TwoTowerModule:
        """As `Alone.whole`; every process has to call it."""
        parts = [(name, part) for name, part in towers.named_modules() if isinstance(part, ShardedTable)]
        state = towers.state_dict() | {f"{name}.weight": part.whole() for name, part in parts}
        found = TwoTowerModule.restore(towers.settings, towers.columns, state)
        found.neighbors = towers.neighbors
        return found


SEEDS_APART = 1_000_003
GROUPS: dict[str, type[Together]] = {"replicated": Together, "sharded": Sharded}
"""Key of `compute.TABLES` → how it is done"""


def group() -> Alone:
    """That of this process: by `ranks`, and by the tables that `compute.configure` was told of."""
    return GROUPS[compute.current().tables]() if ranks.world() > 1 else Alone()
