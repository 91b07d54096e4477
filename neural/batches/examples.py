"""Training examples: a user at a moment, with a history and targets.

Both are stretches of one array of items, so that nothing is padded or copied before it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.towers.context import codes_of

INPUT_SHARE = 0.5
"""Share of a user's items that become history."""


@dataclass(frozen=True)
class InteractionTensors:
    """All interactions, on the device: copied there once, for all epochs of a fit."""

    user: Tensor
    """int64[interactions], ascending"""
    item: Tensor
    """int64[interactions], in time order within a user"""
    user_counts: Tensor
    """int64[n_users]"""
    item_counts: Tensor
    """int64[n_items]"""
    context: Tensor | None
    """int32[interactions, c]: the codes of when and where; None where the towers have no context"""
    weight: Tensor | None = None
    """float32[interactions]: what each counts in the loss; None where all count alike"""

    @classmethod
    def of(
        cls, train: Interactions, device: torch.device | str, columns: Columns | None = None
    ) -> InteractionTensors:
        """The interactions of `train` on `device`, with the context that `columns` are learned of."""
        arrays = (train.user, train.item, train.user_counts, train.item_counts)
        codes = None if columns is None else codes_of(columns, train).to(device)
        user, item, *counts = (torch.as_tensor(array, device=device).long() for array in arrays)
        weight = None if train.weight is None else torch.as_tensor(train.weight, device=device)
        return cls(user, item, counts[0], counts[1], codes, weight)

    def drawn(self, generator: torch.Generator) -> Tensor:
        """float64[interactions]: numbers from 0 to 1."""
        size, device = len(self.user), self.user.device
        return torch.rand(size, generator=generator, device=device, dtype=torch.float64)


@dataclass(frozen=True)
class Examples:
    """n training examples over one array of items; all tensors lie on the device."""

    items: Tensor
    """int64[interactions]"""
    user: Tensor
    """int64[n]"""
    start: Tensor
    """int64[n]: where the history begins"""
    split: Tensor
    """int64[n]: where the history ends and the targets begin"""
    stop: Tensor
    """int64[n]: where the targets end"""
    context: Tensor | None = None
    """int32[n, c]: the codes of when and where it is; None where the towers have no context"""
    weight: Tensor | None = None
    """float32[interactions]: the weight of each of `items` as a target; None for 1"""
    sequential: bool = False
    """Whether each target has the items from `start` to it as history, instead of those up to `split`;
    `context` then has a row for each of `items`."""

    @property
    def history_stop(self) -> Tensor:
        """int64[n]: where the longest history of each example ends"""
        return self.stop - 1 if self.sequential else self.split

    @property
    def rows(self) -> int:
        """Rows of scores that all of them together have."""
        return int((self.stop - self.split).sum()) if self.sequential else len(self)

    def __len__(self) -> int:
        return len(self.user)

    def with_history(self) -> Examples:
        """Those whose history is not empty."""
        if self.sequential:
            return self
        kept = torch.nonzero(self.split > self.start).squeeze(1)
        context = None if self.context is None else self.context[kept]
        bounds = self.start[kept], self.split[kept], self.stop[kept]
        return Examples(self.items, self.user[kept], *bounds, context, self.weight)


def examples_per_user(interactions: InteractionTensors, generator: torch.Generator) -> Examples:
    """One example a user, whose items are split at random into history and targets.

    floor(INPUT_SHARE · n) of n items are history, yet at least one of both kinds where n > 1; a
    single item is a target.
    """
    order = torch.argsort(interactions.user + interactions.drawn(generator))
    items = interactions.item[order]
    weight = None if interactions.weight is None else interactions.weight[order]
    present = torch.nonzero(interactions.user_counts).squeeze(1)
    lengths = interactions.user_counts[present]
    stop = torch.cumsum(lengths, 0)
    start = stop - lengths
    share = (lengths * INPUT_SHARE).long().clamp(min=1)
    split = torch.minimum(start + share, stop - 1)
    return Examples(items, present, start, split, stop, weight=weight)


def examples_per_interaction(interactions: InteractionTensors, max_history: int) -> Examples:
    """One example an interaction: the user's `max_history` items before it are its history."""
    begin = (torch.cumsum(interactions.user_counts, 0) - interactions.user_counts)[interactions.user]
    at = torch.arange(len(interactions.user), device=interactions.user.device)
    return Examples(
        interactions.item,
        interactions.user,
        torch.maximum(begin, at - max_history),
        at,
        at + 1,
        interactions.context,
        interactions.weight,
    )


def examples_per_sequence(interactions: InteractionTensors, max_history: int) -> Examples:
    """The stretches of each user's items, the newest first, in which each but the first is a target once.

    A stretch has `max_history` targets, the oldest one what is left of them.
    """
    users = torch.nonzero(interactions.user_counts > 1).squeeze(1)
    counts = interactions.user_counts[users]
    stretches = (counts + max_history - 2) // max_history  # of the counts - 1 targets
    user = torch.repeat_interleave(users, stretches)
    newer = torch.arange(len(user), device=user.device) - torch.repeat_interleave(
        torch.cumsum(stretches, 0) - stretches, stretches
    )
    ends = torch.cumsum(interactions.user_counts, 0)[user]
    stop = ends - newer * max_history
    start = torch.maximum(ends - interactions.user_counts[user], stop - max_history - 1)
    return Examples(
        interactions.item, user, start, start + 1, stop, interactions.context, interactions.weight, True
    )
