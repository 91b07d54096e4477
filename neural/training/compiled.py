"""The loss of a step as compiled graphs, for a GPU, whose small operations take the host longer to launch.

A leaf of autograd cannot be made within a compiled graph, so that rows of tables are leased before it. Which
rows, the towers alone know. So they are called twice, each time as a graph: for what they lease, of which the
compiler leaves out all else, and for the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from retrieval_leaderboard.neural.batches.batcher import Batch
from retrieval_leaderboard.neural.towers.tables import Found, Lease, Table
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.support.errors import InputError

BACKEND: dict[str, Any] = {"backend": "inductor", "options": {"fallback_random": True}}
"""Of `torch.compile`; dropout is to draw as it does without."""


class Compiled:
    """A loss that is compiled: the same number, but for rounding."""

    def __init__(self, loss: Callable[..., Tensor], towers: TwoTowerModule) -> None:
        """`loss` takes what this takes."""
        self.loss, self.tables = loss, [part for part in towers.modules() if isinstance(part, Table)]
        # Sizes differ from batch to batch, and are to be no part of a graph.
        self.find: Callable[..., list[list[Found]]] = torch.compile(self._find, dynamic=True, **BACKEND)
        self.handed: Callable[..., Tensor] = torch.compile(self._handed, dynamic=True, **BACKEND)

    def __call__(self, pair_loss: Any, towers: TwoTowerModule, batch: Batch, shared_by: Any) -> Tensor:
        """float[]: the loss, whose gradients go to rows that the tables have leased.

        Raises:
            InputError: PyTorch does not compile it here.
        """
        from torch._dynamo.exc import TorchDynamoException  # Takes seconds, as all of the compiler.

        try:
            return self.handed(self._leased(towers, batch), pair_loss, towers, batch, shared_by)
        except TorchDynamoException as error:
            why = " ".join(str(error).split("\n\n")[0].split())
            raise InputError(
                f"--compile: PyTorch {torch.__version__} does not compile a step here ({why}); leave it out"
            ) from error

    def _leased(self, towers: TwoTowerModule, batch: Batch) -> list[list[Found]]:
        """What `_find` gives, leased."""
        towers.eval()  # Nothing is drawn, and no running mean moves.
        found = self.find(towers, batch)
        towers.train()
        for table, calls in zip(self.tables, found, strict=True):
            table.leases = [Lease(row, vectors.requires_grad_()) for row, vectors, _ in calls]
        return found

    def _find(self, towers: TwoTowerModule, batch: Batch) -> list[list[Found]]:
        """Of each table, what the towers lease for `batch`, in turn."""
        found: list[list[Found]] = [[] for _ in self.tables]
        for table, calls in zip(self.tables, found, strict=True):
            table.ahead = calls
        towers(batch.queries, batch.items)
        for table in self.tables:
            table.ahead = None
        return found

    def _handed(self, found: list[list[Found]], *arguments: Any) -> Tensor:
        """The loss of towers that are handed what was `found`."""
        for table, calls in zip(self.tables, found, strict=True):
            table.handed = list(calls)
        return self.loss(*arguments)
