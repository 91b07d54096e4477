"""Which items stand against the targets of a batch: shared by all its examples.

A sampler is a class here, among SAMPLERS, and the settings that its `of` reads.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.neural.batches.examples import InteractionTensors
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.distinct import where_in

Recommend = Callable[[Queries, int], npt.NDArray[np.int32]]
"""Queries and k → items int32[q, k], as `Retriever.recommend`"""


class NegativeSampler(ABC):
    """One source of a batch's negatives."""

    @classmethod
    @abstractmethod
    def of(cls, settings: TowerSettings, interactions: InteractionTensors) -> Self | None:
        """The sampler that the settings ask for; None where they leave it out."""

    @staticmethod
    @abstractmethod
    def most(settings: TowerSettings, examples: int, pairs: int) -> int:
        """The most negatives that it draws for a batch of so many examples and (example, target) pairs."""

    @staticmethod
    def kept_bytes(settings: TowerSettings, n_users: int) -> int:
        """What it keeps in memory from batch to batch, if that is much."""
        return 0

    @abstractmethod
    def draw(self, user: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
        """int64[n]: items, repeats allowed; -1 for none.

        Args:
            user: int64[b], of each example.
            targets: int64[p], of all examples.
            generator: the source of chance.
        """

    @abstractmethod
    def log_missed(self, items: Tensor, drawn: Tensor) -> Tensor:
        """float64[m]: log of the probability that none of n draws gives each of `items`, int64[m].

        `drawn` int64[n] is what `draw` gave.
        """

    def begin_epoch(self, epoch: int, recommend: Recommend, train: Interactions) -> None:  # noqa: B027
        """Called before an epoch, counted from 1, with what the towers as they are would recommend."""

    def state(self) -> dict[str, Tensor]:
        """What `load_state` takes back, by names that no other sampler has."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:  # noqa: B027
        """Go on from what `state` gave; other samplers' tensors are among them."""


class PopularityNegatives(NegativeSampler):
    """Items that have training interactions, or any, with probability ∝ count^exponent; 0 is uniform."""

    def __init__(self, item_counts: Tensor, n: int, exponent: float, cold: bool = False) -> None:
        """`item_counts` int64[n_items]: training interactions of each item; `n` draws a batch.

        `cold` items, without any, count as if they had one, or are not drawn.
        """
        self.n = n
        self.exponent = exponent
        counts = item_counts.clamp(min=int(cold))
        self.candidates = torch.nonzero(counts).squeeze(1)  # (candidates,)
        weight = torch.where(counts > 0, counts.double() ** exponent, 0.0)
        # On the CPU and one after the other: CUDA, and several threads, add floats up in another order.
        self.chance = weight / torch.cumsum(weight.cpu(), 0)[-1].to(weight.device)
        """float64[n_items]: the chance of each item in one draw"""
        self.cumulative = torch.cumsum(self.chance[self.candidates].cpu(), 0).to(counts.device)

    @classmethod
    def of(cls, settings: TowerSettings, interactions: InteractionTensors) -> Self:
        """Always: a setting of 0 draws none."""
        exponent, cold = settings.negative_exponent, settings.cold_negatives
        n = 0 if settings.every_negative else settings.negatives
        return cls(interactions.item_counts, n, exponent, cold)

    @staticmethod
    def most(settings: TowerSettings, examples: int, pairs: int) -> int:
        """As many as set."""
        return settings.negatives

    def draw(self, user: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
        """With replacement."""
        size, device = len(self.candidates), self.candidates.device
        if self.exponent == 0:
            place = torch.randint(size, (self.n,), generator=generator, device=device)
        else:
            points = torch.rand(self.n, generator=generator, device=device, dtype=torch.float64)
            place = torch.searchsorted(self.cumulative, points).clamp_(max=size - 1)
        return self.candidates[place]

    def log_missed(self, items: Tensor, drawn: Tensor) -> Tensor:
        """N · log(1 - chance)."""
        return log_missed(self.chance[items], self.n)


class HardNegatives(NegativeSampler):
    """Items that the model ranks high, from a list of each user that is made anew every few epochs."""

    DEPTH = 100
    """Length of a list."""
    EVERY = 2
    """Epochs after which lists are made anew."""

    def __init__(self, each: int, device: torch.device | str) -> None:
        """`each` example has so many draws."""
        self.each, self.device = each, device
        self.lists: Tensor | None = None
        """int32[n_users, depth]: -1 for none; None in the first epoch: fresh towers rank at random"""

    @classmethod
    def of(cls, settings: TowerSettings, interactions: InteractionTensors) -> Self | None:
        """Where it is set."""
        return cls(settings.hard_negatives, interactions.item.device) if settings.hard_negatives else None

    @staticmethod
    def most(settings: TowerSettings, examples: int, pairs: int) -> int:
        """As many as set for each example."""
        return settings.hard_negatives * examples

    @staticmethod
    def kept_bytes(settings: TowerSettings, n_users: int) -> int:
        """Lists, and the items and scores that they are made of."""
        return n_users * HardNegatives.DEPTH * 2 * 4 * (settings.hard_negatives > 0)

    def begin_epoch(self, epoch: int, recommend: Recommend, train: Interactions) -> None:
        """Make the lists anew where that is due."""
        if epoch == 1 or epoch % self.EVERY:
            return
        users = np.flatnonzero(train.user_counts)
        found = np.full((train.n_users, self.DEPTH), -1, dtype=np.int32)
        found[users] = recommend(train.queries(users), self.DEPTH)
        self.lists = torch.as_tensor(found, device=self.device)

    def draw(self, user: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
        """int64[b · each]: from each user's list."""
        if self.lists is None:
            return user.new_empty(0)
        shape, device = (len(user), self.each), user.device
        place = torch.randint(self.lists.shape[1], shape, generator=generator, device=device)
        return self.lists[user].gather(1, place).long().flatten()

    def log_missed(self, items: Tensor, drawn: Tensor) -> Tensor:
        """-inf for those that were drawn: they are there because they are what they are."""
        if not len(drawn):
            return torch.zeros(len(items), dtype=torch.float64, device=items.device)
        found, _ = where_in(drawn.sort().values, items)
        return torch.where(found, -torch.inf, 0.0).double()

    def state(self) -> dict[str, Tensor]:
        """The lists."""
        return {} if self.lists is None else {"hard": self.lists}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with those lists."""
        if "hard" in state:
            self.lists = state["hard"].to(self.device)


class InBatchNegatives(NegativeSampler):
    """The targets of the batch's other examples."""

    def __init__(self, item_counts: Tensor) -> None:
        self.popularity = item_counts.double() / item_counts.sum()
        """float64[n_items]: share of each item among the training interactions"""

    @classmethod
    def of(cls, settings: TowerSettings, interactions: InteractionTensors) -> Self | None:
        """Where it is set."""
        return cls(interactions.item_counts) if settings.in_batch else None

    @staticmethod
    def most(settings: TowerSettings, examples: int, pairs: int) -> int:
        """One a pair."""
        return pairs * settings.in_batch

    def draw(self, user: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
        """All targets: those of an example itself are masked later."""
        return targets

    def log_missed(self, items: Tensor, drawn: Tensor) -> Tensor:
        """As if a target were drawn by the share of an item among the interactions."""
        return log_missed(self.popularity[items], len(drawn))


class EveryNegative(NegativeSampler):
    """All items that have training interactions."""

    def __init__(self, item_counts: Tensor) -> None:
        """`item_counts` int64[n_items]: training interactions of each item."""
        self.items = torch.nonzero(item_counts).squeeze(1)

    @classmethod
    def of(cls, settings: TowerSettings, interactions: InteractionTensors) -> Self | None:
        """Where it is set."""
        return cls(interactions.item_counts) if settings.every_negative else None

    @staticmethod
    def most(settings: TowerSettings, examples: int, pairs: int) -> int:
        """More than any catalog has."""
        return sys.maxsize * settings.every_negative

    def draw(self, user: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
        """Without chance."""
        return self.items

    def log_missed(self, items: Tensor, drawn: Tensor) -> Tensor:
        """The logarithm of 0."""
        return torch.full(items.shape, -torch.inf, dtype=torch.float64, device=items.device)


SAMPLERS: tuple[type[NegativeSampler], ...] = (
    PopularityNegatives, EveryNegative, HardNegatives, InBatchNegatives,
)  # fmt: skip
"""All of them, in the order in which they draw: first those whose first draw is an item in any case"""


def samplers_of(settings: TowerSettings, interactions: InteractionTensors) -> list[NegativeSampler]:
    """Those that the settings ask for."""
    return [sampler for kind in SAMPLERS if (sampler := kind.of(settings, interactions)) is not None]


def log_missed(chance: Tensor, draws: int) -> Tensor:
    """Log of (1 - chance)^draws, float64[m], of the chance of each of m items in one draw."""
    return draws * torch.log1p(-chance.clamp(max=1 - 1e-9))


def log_inclusion(missed: Iterable[Tensor]) -> Tensor:
    """Log of the probability that an item is drawn at least once.

    Args:
        missed: for each sampler, float64[m] as `NegativeSampler.log_missed`.

    Returns:
        float32[m]: log(1 - Πₛ missedₛ).
    """
    return torch.log(-torch.expm1(torch.as_tensor(sum(missed)))).float()
