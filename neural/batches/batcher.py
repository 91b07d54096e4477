"""Training rows and the batches made of them.

A row is a user at a moment: a stretch of items that is its history and a stretch that is its
targets, both slices of one array, so that nothing is padded or copied before it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural.batches.negatives import NegativeSampler, log_inclusion
from retrieval_leaderboard.neural.towers.columns import Columns
from retrieval_leaderboard.neural.towers.context import codes_of
from retrieval_leaderboard.neural.towers.distinct import distinct, waits
from retrieval_leaderboard.neural.towers.history import Moments, ranges

INPUT_SHARE = 0.5
"""Share of a user's items that become history."""


@dataclass(frozen=True)
class Taken:
    """Who took what, on the device: copied there once, for all epochs of a fit."""

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

    @classmethod
    def of(cls, train: Interactions, device: torch.device | str, columns: Columns | None = None) -> Taken:
        """The interactions of `train` on `device`, with the context that `columns` are learned of."""
        arrays = (train.user, train.item, train.user_counts, train.item_counts)
        told = None if columns is None else codes_of(columns, train).to(device)
        user, item, *counts = (torch.as_tensor(array, device=device).long() for array in arrays)
        return cls(user, item, counts[0], counts[1], told)


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
    context: Tensor | None = None
    """int32[n, c]: the codes of when and where it is; None where the towers have no context"""

    def __len__(self) -> int:
        return len(self.user)

    def with_history(self) -> Rows:
        """The rows whose history is not empty."""
        kept = torch.nonzero(self.split > self.start).squeeze(1)
        context = None if self.context is None else self.context[kept]
        return Rows(self.items, self.user[kept], self.start[kept], self.split[kept], self.stop[kept], context)


@dataclass(frozen=True)
class Batch:
    """b rows, their p (row, target) pairs, and m negatives shared by all of them."""

    moments: Moments
    items: Tensor
    """int64[i]: distinct items to encode, targets and negatives; on a GPU some stand twice at the end"""
    row: Tensor
    """int64[p]: the row of each pair"""
    target: Tensor
    """int64[p]: the position in `items` of each pair's target"""
    negative: Tensor
    """int64[m]: the positions in `items` of the negatives, all different"""
    log_q: Tensor
    """float32[m]: log probability of each negative to be in the sample"""
    unused: Tensor
    """bool[m]: places without a negative, which only a GPU has"""
    hit_row: Tensor
    """int64[h]: row of each accidental hit, a negative that is no negative of that row; or the
    number of rows where there is no hit, which only a GPU has"""
    hit_negative: Tensor
    """int64[h]: its position in `negative`"""
    weight: Tensor
    """float32[p]: weight of each pair in the loss"""

    @property
    def negatives(self) -> Tensor | int:
        """How many negatives there are; a number on the device where only the device knows it."""
        return (~self.unused).sum() if waits(self.unused) else len(self.unused)

    def masked(self, score: Tensor, value: float) -> Tensor:
        """float[b, m] scores with `value` where a negative is no negative of the row.

        On a CPU written into `score` itself.
        """
        if not waits(score):
            score[self.hit_row, self.hit_negative] = value
            return score
        mask = torch.zeros(len(score) + 1, score.shape[1], dtype=torch.bool, device=score.device)
        mask[self.hit_row, self.hit_negative] = True
        return score.masked_fill(mask[:-1] | self.unused, value)


def user_rows(taken: Taken, generator: torch.Generator) -> Rows:
    """One row a user, whose items are split at random into history and targets.

    floor(INPUT_SHARE · n) of n items are history, yet at least one of both kinds where n > 1; a
    single item is a target.
    """
    shuffled = torch.rand(len(taken.user), generator=generator, device=taken.user.device, dtype=torch.float64)
    items = taken.item[torch.argsort(taken.user + shuffled)]
    present = torch.nonzero(taken.user_counts).squeeze(1)
    lengths = taken.user_counts[present]
    stop = torch.cumsum(lengths, 0)
    start = stop - lengths
    share = (lengths * INPUT_SHARE).long().clamp(min=1)
    split = torch.minimum(start + share, stop - 1)
    return Rows(items, present, start, split, stop)


def position_rows(taken: Taken, max_history: int) -> Rows:
    """One row an interaction: the user's `max_history` items before it are its history."""
    begin = (torch.cumsum(taken.user_counts, 0) - taken.user_counts)[taken.user]
    at = torch.arange(len(taken.user), device=taken.user.device)
    return Rows(taken.item, taken.user, torch.maximum(begin, at - max_history), at, at + 1, taken.context)


@dataclass
class Batcher:
    """Makes the batches of an epoch."""

    batch_size: int
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
    hard_per_row: int = 0
    """Negatives of each row drawn from `hard`"""
    hard: Tensor | None = None
    """int32[n_users, depth]: items that the model ranks high for each user, -1 for none"""

    def state(self) -> dict[str, Tensor]:
        """What `load_state` takes back; `generator` is not part of it."""
        return {} if self.hard is None else {"hard": self.hard}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        if "hard" in state:
            self.hard = state["hard"].to(self.popularity.device)

    def epoch(self, rows: Rows, skipped: int = 0) -> Iterator[Batch]:
        """All rows in random order, without the first `skipped` batches."""
        order = torch.randperm(len(rows), generator=self.generator, device=rows.user.device)
        sizes = _sizes(rows, order, self.batch_size)
        # Measured: a thread that prepares batches ahead gains nothing on two cores, which the step fills.
        return (
            self.assemble(rows, chosen, *size)
            for chosen, size in islice(zip(order.split(self.batch_size), sizes, strict=True), skipped, None)
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
        n_items, user = len(self.popularity), rows.user[chosen]
        hard = self._draw_hard(user)
        # A list may be shorter than the others: a drawn negative stands in.
        drawn = torch.cat([negatives, torch.where(hard < 0, negatives[:1], hard)])
        negatives, _ = distinct(torch.cat([drawn, targets]) if self.in_batch else drawn, n_items)
        unused = negatives == n_items
        items, index = distinct(torch.cat([negatives, targets]), n_items)
        context = None if rows.context is None else rows.context[chosen]
        moments = Moments.of(user, rows.items, start, split, history, context)
        own, owner = targets, row
        if self.mask_history:
            own, owner = torch.cat([moments.history, own]), torch.cat([moments.row, owner])
        hit_row, hit_negative = find_hits(own, owner, negatives, len(chosen))
        return Batch(
            moments=moments,
            items=items.clamp(max=n_items - 1),
            row=row,
            target=index[len(negatives) :],
            negative=index[: len(negatives)],
            # The item that stands in for an unused place may have no chance at all, and log 0.
            log_q=self._log_q(negatives.clamp(max=n_items - 1), targets, hard).masked_fill(unused, 0.0),
            unused=unused,
            hit_row=hit_row,
            hit_negative=hit_negative,
            weight=self.user_weight[user][row],
        )

    def _draw_hard(self, user: Tensor) -> Tensor:
        """int64[rows · hard_per_row]: from each user's list; -1 where that has none."""
        if self.hard is None:
            return user.new_empty(0)
        shape, device = (len(user), self.hard_per_row), user.device
        place = torch.randint(self.hard.shape[1], shape, generator=self.generator, device=device)
        return self.hard[user].gather(1, place).long().flatten()

    def _log_q(self, negatives: Tensor, targets: Tensor, hard: Tensor) -> Tensor:
        """float32[m]; 0 for hard negatives, which are there because they are what they are."""
        samples = [(self.sampler.chance[negatives], self.sampler.n)]
        if self.in_batch:
            samples.append((self.popularity[negatives], len(targets)))
        log_q = log_inclusion(samples)
        if not len(hard):
            return log_q
        return torch.where(where_in(hard.sort().values, negatives)[0], 0.0, log_q)


def _sizes(rows: Rows, order: Tensor, batch_size: int) -> list[list[int]]:
    """Items in the histories and among the targets of each `batch_size` rows of `order` in turn.

    One look at the device an epoch spares every batch three.
    """
    lengths = torch.stack([rows.split - rows.start, rows.stop - rows.split])[:, order]  # (2, rows)
    full = functional.pad(lengths, (0, -len(order) % batch_size))
    return full.view(2, -1, batch_size).sum(dim=2).T.tolist()


def find_hits(items: Tensor, row: Tensor, negatives: Tensor, n_rows: int) -> tuple[Tensor, Tensor]:
    """Where `items` stand among the sorted `negatives`: for each that does, its row and the place.

    Where the host would wait to learn how many do, all are given, with row `n_rows` for those that do not.
    """
    found, place = where_in(negatives, items)
    if waits(items):
        return torch.where(found, row, n_rows), place
    hit = torch.nonzero(found).squeeze(1)
    return row[hit], place[hit]


def where_in(ordered: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """bool[n]: whether each of `items` stands in `ordered`, which is sorted; and int64[n]: where."""
    place = torch.searchsorted(ordered, items).clamp_(max=len(ordered) - 1)
    return ordered[place] == items, place
