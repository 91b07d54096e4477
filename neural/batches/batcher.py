"""The batches of an epoch: examples, their targets, and negatives that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.batches.examples import Examples
from retrieval_leaderboard.neural.batches.negatives import NegativeSampler, log_inclusion
from retrieval_leaderboard.neural.towers.distinct import distinct, where_in, would_sync
from retrieval_leaderboard.neural.towers.history import QueryBatch, ranges


@dataclass(frozen=True)
class Batch:
    """b rows, their p (row, target) pairs, and m negatives shared by all of them.

    A row is an example, or of an example that is a sequence one of its targets, so that b is p.
    """

    queries: QueryBatch
    items: Tensor
    """int64[i]: distinct items to encode, the m negatives and then the other targets; on a GPU the last
    item stands in for unused places"""
    row: Tensor
    """int64[p]: the row of each pair"""
    target: Tensor
    """int64[p]: the position in `items` of each pair's target"""
    chance: Callable[[], Tensor]
    """Gives `log_q`, which not every loss wants."""
    unused: Tensor
    """bool[m]: places without a negative, which only a GPU has"""
    hit_row: Tensor
    """int64[h]: row of each accidental hit, a negative that is no negative of that row; or the
    number of rows where there is no hit, which only a GPU has"""
    hit_negative: Tensor
    """int64[h]: its place among the negatives"""
    weight: Tensor
    """float32[p]: weight of each pair in the loss"""

    @property
    def negative(self) -> Tensor:
        """int64[m]: the negatives, all different."""
        return self.items[: len(self.unused)]

    @property
    def log_q(self) -> Tensor:
        """float32[m]: log probability of each negative to be in the sample."""
        return self.chance()

    @property
    def negatives(self) -> Tensor | int:
        """How many negatives there are; a number on the device where only the device knows it."""
        return (~self.unused).sum() if would_sync(self.unused) else len(self.unused)

    def masked(self, score: Tensor, value: float) -> Tensor:
        """float[b, m] scores with `value` where a negative is no negative of the row.

        On a CPU written into `score` itself.
        """
        if not would_sync(score):
            score[self.hit_row, self.hit_negative] = value
            return score
        mask = torch.zeros(len(score) + 1, score.shape[1], dtype=torch.bool, device=score.device)
        # A plain number would be copied to the device, for which the host waits.
        mask.index_put_((self.hit_row, self.hit_negative), mask.new_ones(()))
        return score.masked_fill(mask[:-1] | self.unused, value)


@dataclass
class Batcher:
    """Makes the batches of an epoch."""

    batch_size: int
    samplers: list[NegativeSampler]
    """In the order in which they draw"""
    mask_history: bool
    """Whether the items of an example's history are no negatives of it, as its targets never are."""
    user_weight: Tensor
    """float32[n_users]: weight of a user's pairs in the loss"""
    n_items: int
    generator: torch.Generator

    def state(self) -> dict[str, Tensor]:
        """What `load_state` takes back; `generator` is not part of it."""
        return {name: each for sampler in self.samplers for name, each in sampler.state().items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        for sampler in self.samplers:
            sampler.load_state(state)

    def epoch(self, examples: Examples, skipped: int = 0) -> Iterator[Batch]:
        """All examples in random order, without the first `skipped` batches."""
        order = torch.randperm(len(examples), generator=self.generator, device=examples.user.device)
        sizes = _sizes(examples, order, self.batch_size)
        # Measured: a thread that prepares batches ahead gains nothing on two cores, which the step fills.
        return (
            self.assemble(examples, row_ids, *size)
            for row_ids, size in islice(zip(order.split(self.batch_size), sizes, strict=True), skipped, None)
        )

    def assemble(
        self, examples: Examples, row_ids: Tensor, history: int | None = None, pairs: int | None = None
    ) -> Batch:
        """The batch of the examples `row_ids`, int64[b].

        `history` and `pairs` are the items in their histories and among their targets; without
        them the host waits for the device to count them.
        """
        start, split, stop = examples.start[row_ids], examples.split[row_ids], examples.stop[row_ids]
        at, row = ranges(split, stop, pairs)
        targets = examples.items.index_select(0, at)  # (pairs,)
        user = examples.user[row_ids]
        drawn = self._draw(user, targets)
        together = torch.cat(drawn)
        # Where a sampler had too few, another item that was drawn stands in.
        negatives, _ = distinct(torch.where(together < 0, together[:1], together), self.n_items)
        unused = negatives == self.n_items
        weight = self.user_weight[user].index_select(0, row)  # (pairs,)
        if examples.weight is not None:
            weight = weight * examples.weight[at]
        places = row_ids
        if examples.sequential:
            user, places, row = user[row], at, torch.arange(len(at), device=at.device)
        context = None if examples.context is None else examples.context[places]
        history_stop = examples.history_stop[row_ids]
        queries = QueryBatch.of(
            user, examples.items, start, history_stop, history, context, examples.sequential
        )
        own, owner = targets, row
        if self.mask_history:
            own, owner = torch.cat([own, queries.history]), torch.cat([owner, queries.row])
        found, place = where_in(negatives, own, self.n_items)
        hit_row, hit_negative = hits(found, place, owner, len(user))
        others, target = self._others(targets, found[: len(targets)], place[: len(targets)], negatives)
        return Batch(
            queries=queries,
            items=torch.cat([negatives, others]).clamp(max=self.n_items - 1),
            row=row,
            target=target,
            chance=partial(self._log_q, negatives, unused, drawn),
            unused=unused,
            hit_row=hit_row,
            hit_negative=hit_negative,
            weight=weight,
        )

    def _draw(self, user: Tensor, targets: Tensor) -> list[Tensor]:
        """What each sampler draws."""
        return [sampler.draw(user, targets, self.generator) for sampler in self.samplers]

    def _others(
        self, targets: Tensor, found: Tensor, place: Tensor, negatives: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The distinct targets that are no negatives, and the place of each target behind the negatives.

        Args:
            targets: int64[p].
            found, place: bool[p] and int64[p], which of them stand among the negatives, and where.
            negatives: int64[m].
        """
        others, at = distinct(torch.where(found, self.n_items, targets), self.n_items)
        if not would_sync(others) and len(others) and others[-1] == self.n_items:
            others = others[:-1]
        return others, torch.where(found, place, len(negatives) + at)

    def _log_q(self, negatives: Tensor, unused: Tensor, drawn: list[Tensor]) -> Tensor:
        """float32[m]: log of the probability of each of `negatives` to be in what the samplers draw."""
        # The item that stands in for an unused place may have no chance at all, and log 0.
        items = negatives.clamp(max=self.n_items - 1)
        missed = (each.log_missed(items, own) for each, own in zip(self.samplers, drawn, strict=True))
        return log_inclusion(missed).masked_fill(unused, 0.0)


def _sizes(examples: Examples, order: Tensor, batch_size: int) -> list[list[int]]:
    """Items in the histories and among the targets of each `batch_size` rows of `order` in turn.

    One look at the device an epoch spares every batch three.
    """
    lengths = torch.stack([examples.history_stop - examples.start, examples.stop - examples.split])[
        :, order
    ]  # (2, examples)
    full = functional.pad(lengths, (0, -len(order) % batch_size))
    return full.view(2, -1, batch_size).sum(dim=2).T.tolist()


def hits(found: Tensor, place: Tensor, row: Tensor, n_rows: int) -> tuple[Tensor, Tensor]:
    """For each item that was `found` among the negatives, its row and its `place` there.

    Where the host would wait to learn how many do, all are given, with row `n_rows` for those that do not.
    """
    if would_sync(found):
        return torch.where(found, row, n_rows), place
    hit = torch.nonzero(found).squeeze(1)
    return row[hit], place[hit]
