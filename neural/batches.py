"""Training rows and the batches made of them.

A row is a user at a moment: a stretch of items that is its history and a stretch that is its
targets, both slices of one array, so that nothing is padded or copied before it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

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


def user_rows(train: Interactions, input_share: float, generator: torch.Generator, device: str) -> Rows:
    """One row a user, whose items are split at random into history and targets.

    Each user keeps at least one target: floor(input_share · items) items, and never all, are history.
    """
    user = torch.as_tensor(train.user, device=device)
    order = torch.argsort(
        user + torch.rand(len(user), generator=generator, device=device, dtype=torch.float64)
    )
    lengths = torch.as_tensor(train.user_counts, device=device)
    stop = torch.cumsum(lengths, 0)
    present = torch.nonzero(lengths).squeeze(1)
    start, stop = (stop - lengths)[present], stop[present]
    share = ((stop - start) * input_share).long()
    # Odd counts round up as often as down.
    split = torch.minimum(start + share, stop - 1)
    items = torch.as_tensor(train.item, device=device).long()[order]
    return Rows(items, present, start, split, stop)


def position_rows(train: Interactions, max_history: int, device: str) -> Rows:
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
        """All rows in random order, prepared one batch ahead of their use."""
        order = torch.randperm(len(rows), generator=self.generator, device=rows.user.device)
        return one_ahead(self.assemble(rows, chosen) for chosen in order.split(self.batch_rows))

    def assemble(self, rows: Rows, chosen: Tensor) -> Batch:
        """The batch of the rows `chosen`, int64[b]."""
        start, split, stop = rows.start[chosen], rows.split[chosen], rows.stop[chosen]
        at, row = ranges(split, stop)
        targets = rows.items[at]  # (pairs,)
        negatives = self.sampler.draw(self.generator)
        if self.in_batch:
            negatives = torch.cat([negatives, targets])
        negatives = torch.unique(negatives)
        items, index = torch.unique(torch.cat([negatives, targets]), return_inverse=True)
        hit_row, hit_negative = find_hits(
            rows, start if self.mask_history else split, stop, chosen, negatives
        )
        user = rows.user[chosen]
        return Batch(
            moments=Moments.of(user, rows.items, start, split),
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


def find_hits(
    rows: Rows, start: Tensor, stop: Tensor, chosen: Tensor, negatives: Tensor
) -> tuple[Tensor, Tensor]:
    """Where a row's own items, from `start` to `stop`, stand among the sorted `negatives`."""
    at, row = ranges(start, stop)
    own = rows.items[at]
    place = torch.searchsorted(negatives, own).clamp_(max=len(negatives) - 1)
    hit = negatives[place] == own
    return row[hit], place[hit]


def one_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, each prepared in a thread while the one before it is used."""
    # One core is enough for a batch; a second team of threads would fight the training step's.
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as worker:
        coming = worker.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = worker.submit(next, batches, None)
            yield batch
