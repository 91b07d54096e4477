"""A batch that several processes share: each has the examples of its users, all have the same negatives.

A process has the users whose code leaves its rank when divided by the number of processes, with their
interactions. The order of examples, and what is drawn, are those of one process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural.batches.batcher import Batch, Batcher
from retrieval_leaderboard.neural.batches.examples import Examples, InteractionTensors
from retrieval_leaderboard.neural.distributed import exchange
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.towers.distinct import where_in
from retrieval_leaderboard.support import ranks

NOTHING = torch.empty(0, dtype=torch.int64)


@dataclass(frozen=True)
class OwnInteractions(InteractionTensors):
    """The interactions of this process's users; `item_counts` are those of all."""

    place: Tensor = NOTHING
    """int64[interactions]: which of all interactions each is"""
    total: int = 0
    """Interactions of all users"""

    @classmethod
    def of(
        cls, train: Interactions, device: torch.device | str, columns: Columns | None = None
    ) -> OwnInteractions:
        """As `InteractionTensors.of`."""
        place = np.flatnonzero(train.user % ranks.world() == ranks.rank())
        tensors = dict(vars(InteractionTensors.of(train.take(place), device, columns)))
        tensors["item_counts"] = torch.as_tensor(train.item_counts, device=device).long()
        return cls(**tensors, place=torch.as_tensor(place, device=device), total=len(train))

    def drawn(self, generator: torch.Generator) -> Tensor:
        """As `InteractionTensors.drawn`; the others' numbers are drawn too."""
        size, device = self.total, self.user.device
        return torch.rand(size, generator=generator, device=device, dtype=torch.float64)[self.place]


@dataclass(frozen=True)
class Deal:
    """Whose each example is; examples are numbered by user."""

    begin: Tensor
    """int64[n_users + 1]: the first example of each user, among those of all processes"""
    own: Tensor
    """int64[n_users]: the same among those of this process"""

    @classmethod
    def of(cls, examples: Examples, n_users: int) -> Self:
        """Of `examples`, this process's of an epoch; of another epoch it is the same."""
        own = torch.bincount(examples.user, minlength=n_users)
        begin = functional.pad(torch.cumsum(ranks.sum_over(own), 0), (1, 0))
        return cls(begin, torch.cumsum(own, 0) - own)

    def users(self, numbers: Tensor) -> Tensor:
        """int64[b]: the user of each of `numbers`, int64[b], among the examples of all processes."""
        return torch.searchsorted(self.begin, numbers, right=True) - 1

    def mine(self, numbers: Tensor, users: Tensor) -> Tensor:
        """int64[m]: of `numbers`, with their `users`, those of this process, counted among its own."""
        mine = users % ranks.world() == ranks.rank()
        users = users[mine]
        return numbers[mine] - self.begin[users] + self.own[users]


@dataclass
class SharedBatcher(Batcher):
    """Makes this process's part of each batch: its rows, and all negatives and targets as `items`."""

    def __post_init__(self) -> None:
        self.deal: Deal | None = None
        self.users, self.targets = NOTHING, NOTHING
        """int64[b], int64[p]: of the whole batch underway, in its order, and by process"""
        self.own = slice(0)
        """Which of `targets` are this process's"""

    def epoch(self, examples: Examples, skipped: int = 0) -> Iterator[Batch]:
        """As `Batcher.epoch`."""
        total = int(self._deal(examples).begin[-1])
        order = torch.randperm(total, generator=self.generator, device=examples.user.device)
        return (
            self.assemble(examples, numbers)
            for numbers in islice(order.split(self.batch_size), skipped, None)
        )

    def assemble(
        self, examples: Examples, row_ids: Tensor, history: int | None = None, pairs: int | None = None
    ) -> Batch:
        """Of the batch of `row_ids`, int64[b], among the examples of all processes, what is this one's."""
        deal = self._deal(examples)
        self.users = deal.users(row_ids)
        return super().assemble(examples, deal.mine(row_ids, self.users))

    def _deal(self, examples: Examples) -> Deal:
        self.deal = self.deal or Deal.of(examples, len(self.user_weight))
        return self.deal

    def _draw(self, user: Tensor, targets: Tensor) -> list[Tensor]:
        sizes = [number for [number] in exchange.counts([len(targets)])]
        self.targets = exchange.gather_rows(targets, "target ids", sizes)
        start = sum(sizes[: ranks.rank()])
        self.own = slice(start, start + len(targets))
        return super()._draw(self.users, self.targets)

    def _others(
        self, targets: Tensor, found: Tensor, place: Tensor, negatives: Tensor
    ) -> tuple[Tensor, Tensor]:
        found, place = where_in(negatives, self.targets, self.n_items)
        others, target = super()._others(self.targets, found, place, negatives)
        return others, target[self.own]
