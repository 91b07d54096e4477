"""Training rows and the batches made of them.

A row is a user at a moment: a stretch of items that is its history and a stretch that is its
targets, both slices of one array, so that nothing is padded or copied before it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from datasets.dataset import Interactions
from neural.history import Moments, ranges
from neural.negatives import NegativeSampler, log_inclusion


@dataclass(frozen=True)
class Rows:
    """n training rows over one array of items; all tensors lie on the device."""

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

    def __len__(self) -> int:
        return len(self.user)

    def with_history(self) -> Rows:
        """The rows whose history is not empty."""
        kept = torch.nonzero(self.split > self.start).squeeze(1)
        return Rows(self.items, self.user[kept], self.start[kept], self.split[kept], self.stop[kept])


@dataclass(frozen=True)
class Batch:
    """b rows, their p (row, target) pairs, and m negatives shared by all of them."""

    moments: Moments
    items: Tensor
    """int64[i]: distinct items to encode, targets and negatives"""
    row: Tensor
    """int64[p]: the row of each pair"""
    target: Tensor
    """int64[p]: the position in `items` of each pair's target"""
    negative: Tensor
    """int64[m]: the positions in `items` of the negatives, all different"""
    log_q: Tensor
    """float32[m]: log probability of each negative to be in the sample"""
    hit_row: Tensor
    """int64[h]: row of each accidental hit, a negative that is no negative of that row"""
    hit_negative: Tensor
    """int64[h]: its position in `negative`"""
    weight: Tensor
    """float32[p]: weight of each pair in the loss"""


def user_rows(train: Interactions, input_share: float, generator: torch.Generator) -> Rows:
    """One row a user, whose items are split at random into history and targets.

    floor(input_share · n) of n items are history, yet at least one of both kinds where n > 1; a
    single item is a target.
    """
    device = generator.device
    user = torch.as_tensor(train.user, device=device)
    shuffled = torch.rand(len(user), generator=generator, device=device, dtype=torch.float64)
    items = torch.as_tensor(train.item, device=device).long()[torch.argsort(user + shuffled)]
    lengths = torch.as_tensor(train.user_counts, device=device)
    present = torch.nonzero(lengths).squeeze(1)
    stop = torch.cumsum(lengths, 0)[present]
    start = stop - lengths[present]
    share = (lengths[present] * input_share).long().clamp(min=1)
    split = torch.minimum(start + share, stop - 1)
    return Rows(items, present, start, split, stop)


def position_rows(train: Interactions, max_history: int, device: torch.device) -> Rows:
    """One row an interaction: the user's `max_history` items before it are its history."""
    user = torch.as_tensor(train.user, device=device).long()
    begin = torch.as_tensor(train.by_user.start, device=device)[user]
    at = torch.arange(len(user), device=device)
    items = torch.as_tensor(train.item, device=device).long()
    return Rows(items, user, torch.maximum(begin, at - max_history), at, at + 1)


@dataclass(frozen=True)
class Batcher:
    """Makes the batches of an epoch."""

    batch_rows: int
    sampler: NegativeSampler
    in_batch: bool
    """Whether the targets of the other rows are negatives as well."""
    mask_history: bool
    """Whether the items of a row's history are no negatives of it, as its targets never are."""
    user_weight: Tensor
    """float32[n_users]: weight of a user's pairs in the loss"""
    popularity: Tensor
    """float64[n_items]: share of each item among the training interactions"""
    generator: torch.Generator

    def epoch(self, rows: Rows) -> Iterator[Batch]:
        """All rows in random order."""
        order = torch.randperm(len(rows), generator=self.generator, device=rows.user.device)
        sizes = _sizes(rows, order, self.batch_rows)
        # Measured: a thread that prepares batches ahead gains nothing on two cores, which the step fills.
        return (
            self.assemble(rows, chosen, *size)
            for chosen, size in zip(order.split(self.batch_rows), sizes, strict=True)
        )

    def assemble(
        self, rows: Rows, chosen: Tensor, history: int | None = None, pairs: int | None = None
    ) -> Batch:
        """The batch of the rows `chosen`, int64[b].

        `history` and `pairs` are the items in their histories and among their targets; without
        them the host waits for the device to count them.
        """
        start, split, stop = rows.start[chosen], rows.split[chosen], rows.stop[chosen]
        at, row = ranges(split, stop, pairs)
        targets = rows.items[at]  # (pairs,)
        negatives = self.sampler.draw(self.generator)
        if self.in_batch:
            negatives = torch.cat([negatives, targets])
        negatives = torch.unique(negatives)
        items, index = torch.unique(torch.cat([negatives, targets]), return_inverse=True)
        user = rows.user[chosen]
        moments = Moments.of(user, rows.items, start, split, history)
        own, owner = targets, row
        if self.mask_history:
            own, owner = torch.cat([moments.history, own]), torch.cat([moments.row, owner])
        hit_row, hit_negative = find_hits(own, owner, negatives)
        return Batch(
            moments=moments,
            items=items,
            row=row,
            target=index[len(negatives) :],
            negative=index[: len(negatives)],
            log_q=self._log_q(negatives, len(targets)),
            hit_row=hit_row,
            hit_negative=hit_negative,
            weight=self.user_weight[user][row],
        )

    def _log_q(self, negatives: Tensor, pairs: int) -> Tensor:
        samples = [(self.sampler.chance, self.sampler.n)]
        if self.in_batch:
            samples.append((self.popularity, pairs))
        return log_inclusion(negatives, samples)


def _sizes(rows: Rows, order: Tensor, batch_rows: int) -> list[list[int]]:
    """Items in the histories and among the targets of each `batch_rows` rows of `order` in turn.

    One look at the device an epoch spares every batch three.
    """
    lengths = torch.stack([rows.split - rows.start, rows.stop - rows.split])[:, order]  # (2, rows)
    full = functional.pad(lengths, (0, -len(order) % batch_rows))
    return full.view(2, -1, batch_rows).sum(dim=2).T.tolist()


def find_hits(items: Tensor, row: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    """Where `items` stand among the sorted `negatives`: for each that does, its row and the place."""
    place = torch.searchsorted(negatives, items).clamp_(max=len(negatives) - 1)
    hit = torch.nonzero(negatives[place] == items).squeeze(1)
    return row[hit], place[hit]
