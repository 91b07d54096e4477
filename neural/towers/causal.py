"""A transformer over histories in which no item sees a newer one: SASRec's (Kang & McAuley 2018).

Notation: b queries, r histories with h items in all, n item vectors, d dimensions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.distinct import would_sync
from retrieval_leaderboard.neural.towers.history import QueryBatch
from retrieval_leaderboard.neural.towers.tables import normal
from retrieval_leaderboard.neural.training.exact import LayerNorm, gather_rows

RATIO = 1.3
"""Of the longest and shortest history that are padded to one length, about."""
POSITION_SCALE = 0.02
"""Standard deviation of fresh embeddings of positions."""


class Causal(nn.Module):
    """Layers of causal self-attention, normalized before each part; positions count from the newest item.

    Only attention sees histories as a padded matrix: all that is done to items one by one is done to the h
    items that there are.
    """

    def __init__(self, settings: TowerSettings, generator: torch.Generator | None) -> None:
        """The settings are resolved; as of the other encoders."""
        super().__init__()
        self.longest, self.dropout = settings.max_history, settings.dropout
        self.position = nn.Parameter(normal(self.longest, settings.embedding_dim, POSITION_SCALE, generator))
        self.layers = nn.ModuleList(Layer(settings, generator) for _ in range(settings.attention_layers))
        self.last = LayerNorm(settings.embedding_dim)

    def forward(
        self, vectors: Tensor, place: Tensor, weight: Tensor, queries: QueryBatch, user: Tensor
    ) -> Tensor:
        """float[b, d]; as `Mean.forward`, but `weight` has no effect.

        No history is longer than `longest`.
        """
        if not len(place):
            return torch.zeros_like(user)
        padding = padding_of(queries, self.longest)
        items = gather_rows(vectors, place) + gather_rows(self.position, queries.from_end)  # (h, d)
        items = functional.dropout(items, self.dropout, self.training)
        for layer in self.layers:
            items = layer(items, padding)
        if queries.everywhere:
            return self.last(items)
        newest = self.last(items[(queries.offsets[1:] - 1).clamp(min=0)])
        return newest * queries.has_history.unsqueeze(1)


class Layer(nn.Module):
    """x + attention(norm(x)), and to that the same of two matrices with a ReLU between."""

    def __init__(self, settings: TowerSettings, generator: torch.Generator | None) -> None:
        super().__init__()
        dim, self.heads, self.dropout = settings.embedding_dim, settings.attention_heads, settings.dropout
        self.before, self.between = LayerNorm(dim), LayerNorm(dim)
        self.ask, self.leave = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim)
        self.widen, self.narrow = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        begin_without_effect((self.ask, self.widen), (self.leave, self.narrow), generator)

    def forward(self, items: Tensor, padding: Padding) -> Tensor:
        """float[h, d] of float[h, d]."""
        mixed = self.leave(self.attention(self.ask(self.before(items)), padding))
        items = items + functional.dropout(mixed, self.dropout, self.training)
        hidden = self.narrow(functional.relu(self.widen(self.between(items))))
        return items + functional.dropout(hidden, self.dropout, self.training)

    def attention(self, asked: Tensor, padding: Padding) -> Tensor:
        """float[h, d] of queries, keys and values, float[h, 3·d] together.

        Padding stands behind the items, so that causal attention needs no other mask.
        """
        parts = _Spread.apply(asked, padding.cell, padding.cells).split([r * n for r, n in padding.shapes])
        mixed = []
        for part, (rows, length) in zip(parts, padding.shapes, strict=True):
            heads = part.view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # (3, r, heads, l, ·)
            query, key, value = heads.unbind()
            found = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            mixed.append(found.transpose(1, 2).reshape(rows * length, -1))
        return _Collect.apply(torch.cat(mixed), padding.cell)


def begin_without_effect(
    inward: tuple[nn.Linear, ...], outward: tuple[nn.Linear, ...], generator: torch.Generator | None
) -> None:
    """Draw what enters a layer's two parts, and let what leaves them add nothing at first."""
    for linear in inward:
        nn.init.xavier_uniform_(linear.weight, generator=generator)
    for linear in outward:
        nn.init.zeros_(linear.weight)
    for linear in (*inward, *outward):
        if linear.bias is not None:
            nn.init.zeros_(linear.bias)


class Padding(NamedTuple):
    """Where items stand in matrices of histories that are padded at their ends, one after the other."""

    cell: Tensor
    """int64[h]"""
    shapes: list[tuple[int, int]]
    """Histories and items of each matrix"""

    @property
    def cells(self) -> int:
        """Cells of all matrices."""
        return sum(rows * length for rows, length in self.shapes)


def padding_of(queries: QueryBatch, longest: int) -> Padding:
    """One matrix for histories of about a length; a single one where the host would wait to learn lengths."""
    offsets = queries.offsets
    lengths, device = offsets[1:] - offsets[:-1], offsets.device
    if would_sync(offsets):
        shapes, first = [(len(lengths), longest)], torch.arange(len(lengths), device=device) * longest
    else:
        shapes, first = _by_length(lengths)
    return Padding(
        (first - offsets[:-1])[queries.row] + torch.arange(len(queries.row), device=device), shapes
    )


def _by_length(lengths: Tensor) -> tuple[list[tuple[int, int]], Tensor]:
    """The shapes of the matrices, and int64[r]: the first cell of each history."""
    ordered, order = torch.sort(lengths, stable=True)
    first, shapes, start, cells = torch.zeros_like(lengths), [], 0, 0
    counts = ordered.tolist()
    while start < len(counts):
        most = max(counts[start], 1) * RATIO + 2
        stop = int(torch.searchsorted(ordered, most, right=True))
        rows, length = stop - start, max(counts[stop - 1], 1)
        first[order[start:stop]] = cells + torch.arange(rows) * length
        shapes.append((rows, length))
        start, cells = stop, cells + rows * length
    return shapes, first


class _Spread(torch.autograd.Function):
    """Rows to cells of their own, the other cells being 0; each way is a copy, without sums."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, cell: Tensor, cells: int) -> Tensor:
        ctx.save_for_backward(cell)
        return rows.new_zeros(cells, rows.shape[1]).index_copy_(0, cell, rows)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (cell,) = ctx.saved_tensors
        return grad.index_select(0, cell), None, None


class _Collect(torch.autograd.Function):
    """The rows at `cell`, all different."""

    @staticmethod
    def forward(ctx: Any, cells: Tensor, cell: Tensor) -> Tensor:
        ctx.save_for_backward(cell)
        ctx.cells = len(cells)
        return cells.index_select(0, cell)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (cell,) = ctx.saved_tensors
        return grad.new_zeros(ctx.cells, grad.shape[1]).index_copy_(0, cell, grad), None
