"""From the vectors of a history's items to one vector.

Notation: b queries, h items in all their histories, n item vectors, d dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.causal import begin_without_effect
from retrieval_leaderboard.neural.towers.history import QueryBatch
from retrieval_leaderboard.neural.towers.sums import weighted_sums
from retrieval_leaderboard.neural.training.exact import LayerNorm, gather_rows, of_pairs


class Mean(nn.Module):
    """The weighted mean."""

    def __init__(self, settings: TowerSettings, generator: torch.Generator | None) -> None:
        """The settings are resolved; as of the other encoders."""
        super().__init__()

    def forward(
        self, vectors: Tensor, place: Tensor, weight: Tensor, queries: QueryBatch, user: Tensor
    ) -> Tensor:
        """float[b, d].

        Args:
            vectors: float[n, d].
            place: int64[h]: which vector is each history item's.
            weight: float32[h], summing to 1 over each history.
            queries: whose rows the items belong to.
            user: float[b, d], what is known of the users beside their histories.
        """
        return weighted_sums(vectors, place, weight, queries.offsets)


class PositionWeighted(nn.Module):
    """The weighted mean of c_r ⊙ v, where r is an item's place from the end: the context of a vector
    log-bilinear model (Mnih & Kavukcuoglu 2013).
    """

    def __init__(self, settings: TowerSettings, generator: torch.Generator | None) -> None:
        """Places from `max_history` on share one c."""
        super().__init__()
        self.place = nn.Parameter(torch.ones(settings.max_history, settings.embedding_dim))

    def forward(
        self, vectors: Tensor, place: Tensor, weight: Tensor, queries: QueryBatch, user: Tensor
    ) -> Tensor:
        """As `Mean.forward`."""
        each = torch.arange(len(place), device=place.device)
        factor = gather_rows(self.place, queries.from_end.clamp(max=len(self.place) - 1))  # (h, d)
        return weighted_sums(gather_rows(vectors, place) * factor, each, weight, queries.offsets)


class UserAttention(nn.Module):
    """The weighted mean, each weight times exp(u · tanh(W v)): the user_attention of SimpleX's code
    (Mao et al. 2021), times the weights of the plain mean.
    """

    def __init__(self, settings: TowerSettings, generator: torch.Generator | None) -> None:
        super().__init__()
        self.key = nn.Linear(settings.embedding_dim, settings.embedding_dim)
        nn.init.xavier_uniform_(self.key.weight, generator=generator)
        nn.init.zeros_(self.key.bias)

    def forward(
        self, vectors: Tensor, place: Tensor, weight: Tensor, queries: QueryBatch, user: Tensor
    ) -> Tensor:
        """As `Mean.forward`."""
        key = gather_rows(torch.tanh(self.key(vectors)).float(), place)  # (h, d)
        score = (key * gather_rows(user, queries.row)).sum(dim=1)
        largest = score.new_full((len(user),), -torch.inf)
        largest = largest.scatter_reduce(0, queries.row, score.detach(), "amax")
        weight = weight * torch.exp(score - largest[queries.row])
        total = weight.new_zeros(len(user)).index_add(0, queries.row, weight)
        return weighted_sums(vectors, place, weight / of_pairs(total, queries.row), queries.offsets)


class SelfAttention(nn.Module):
    """The weighted mean, and what a transformer layer with that mean as its one query adds to it; SASRec
    (Kang & McAuley 2018) asks with the newest item.

    The score of item x in head h is (A_h mean) · x / √d, and the heads' means of x leave through one matrix:
    no item is multiplied by a matrix. Positions count from the end.
    """

    def __init__(self, settings: TowerSettings, generator: torch.Generator | None) -> None:
        super().__init__()
        self.longest, self.heads, self.dropout = (
            settings.max_history, settings.attention_heads, settings.dropout
        )  # fmt: skip
        self.checkpointing = settings.gradient_checkpointing
        """Whether to compute activations again in the backward pass instead of keeping them"""
        dim, heads = settings.embedding_dim, self.heads
        self.position = nn.Parameter(torch.zeros(self.longest, dim))
        self.items, self.query, self.between = (LayerNorm(dim) for _ in range(3))
        self.ask, self.leave = nn.Linear(dim, heads * dim, bias=False), nn.Linear(heads * dim, dim)
        self.widen, self.narrow = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        begin_without_effect((self.ask, self.widen), (self.leave, self.narrow), generator)

    def forward(
        self, vectors: Tensor, place: Tensor, weight: Tensor, queries: QueryBatch, user: Tensor
    ) -> Tensor:
        """As `Mean.forward`."""
        mean = weighted_sums(vectors, place, weight, queries.offsets)
        if not len(place):
            return mean
        arguments = (mean, vectors, *self._padded(place, queries))
        if self.checkpointing and self.training:
            added = checkpoint(self.layer, *arguments, use_reentrant=False)
        else:
            added = self.layer(*arguments)
        return mean + added.float() * queries.has_history.unsqueeze(1)

    def _padded(self, place: Tensor, queries: QueryBatch) -> tuple[Tensor, Tensor]:
        """int64[b, longest]: the places of the newest items, the newest first; bool: which there are."""
        # Older items fall into a column too many, which is cut off.
        cell = queries.row, queries.from_end.clamp(max=self.longest)
        places = place.new_full((len(queries.user), self.longest + 1), -1).index_put(cell, place)[:, :-1]
        return places.clamp(min=0), places >= 0

    def layer(self, mean: Tensor, vectors: Tensor, places: Tensor, present: Tensor) -> Tensor:
        """float[b, d]: what is added to `mean`, float[b, d].

        Args:
            mean: float[b, d].
            vectors: float[n, d].
            places: int64[b, l]: which vector is each item's.
            present: bool[b, l]: which items there are.
        """
        b, dim = mean.shape
        items = (gather_rows(self.items(vectors), places) + self.position).unsqueeze(1)  # (b, 1, l, d)
        query = self.ask(self.query(mean)).view(b, 1, self.heads, dim)
        # A history without items attends to its padding, which then counts for nothing.
        mask = (present | ~present.any(dim=1, keepdim=True)).view(b, 1, 1, -1)
        mixed = self.leave(functional.scaled_dot_product_attention(query, items, items, mask).flatten(1))
        hidden = functional.relu(self.widen(self.between(mean + mixed)))
        return mixed + self.narrow(functional.dropout(hidden, self.dropout, self.training))
