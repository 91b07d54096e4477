"""Queries of a batch, with ragged histories, and the weights in the mean of a history.

Notation: b queries, h items in all their histories, d dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class QueryBatch:
    """b queries: users, each with a history.

    Where they are asked `everywhere`, after each item of r histories, b is h, and there are r rows of items;
    else b is r.
    """

    user: Tensor
    """int64[b]: -1 for a user without a code"""
    history: Tensor
    """int64[h]: items, in time order within a row"""
    row: Tensor
    """int64[h]: the row of each item"""
    offsets: Tensor
    """int64[r + 1]: row i has the items from offsets[i] to offsets[i + 1]"""
    context: Tensor | None = None
    """int32[b, c]: the codes of when and where it is; None where the towers have no context"""
    everywhere: bool = False
    """Whether there is a query for each item of `history`, which knows of that one and of those before it"""

    @classmethod
    def of(
        cls,
        user: Tensor,
        items: Tensor,
        start: Tensor,
        stop: Tensor,
        total: int | None = None,
        context: Tensor | None = None,
        everywhere: bool = False,
    ) -> QueryBatch:
        """Queries whose row i has the history `items[start[i]:stop[i]]`; `total` as in `ranges`."""
        at, row = ranges(start, stop, total)
        offsets = functional.pad(torch.cumsum(stop - start, 0), (1, 0))
        return cls(user, items.index_select(0, at), row, offsets, context, everywhere)

    @property
    def has_history(self) -> Tensor:
        """bool[r]"""
        return self.offsets[1:] > self.offsets[:-1]

    @property
    def from_end(self) -> Tensor:
        """int64[h]: how many items of its history are newer than each item."""
        return self.offsets[1:][self.row] - 1 - torch.arange(len(self.row), device=self.row.device)

    def newest(self) -> Tensor:
        """int64[b]: the last item of each history, 0 where there is none."""
        if not len(self.history):
            return torch.zeros_like(self.user)
        last = self.history[(self.offsets[1:] - 1).clamp(min=0)]
        return torch.where(self.has_history, last, 0)


def ranges(start: Tensor, stop: Tensor, total: int | None = None) -> tuple[Tensor, Tensor]:
    """The numbers start[i], …, stop[i] - 1 of every i in turn, and for each the i it belongs to.

    `total` is how many numbers there are; without it the host waits for the device to count them.
    """
    lengths = stop - start
    each = torch.arange(len(start), device=start.device)
    row = torch.repeat_interleave(each, lengths, output_size=total)
    shift = start - (torch.cumsum(lengths, 0) - lengths)
    return torch.arange(len(row), device=start.device) + shift.index_select(0, row), row


def weights(queries: QueryBatch, item_weight: Tensor, recency: float) -> Tensor:
    """float32[h]: item_weight[i] · r^-recency for the r-th item from the end, scaled to sum to 1 a row."""
    weight = item_weight.index_select(0, queries.history)
    if recency:
        weight = weight * (queries.from_end + 1).float() ** -recency
    total = torch.zeros(len(queries.user), device=weight.device).index_add_(0, queries.row, weight)
    return weight / total.index_select(0, queries.row)
