"""From the vectors of a history's items to one vector.

Notation: b queries, h items in all their histories, n item vectors, d dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.attention import attend
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
        self.heads, self.dropout = settings.attention_heads, settings.dropout
        self.checkpointing = settings.gradient_checkpointing
        """Whether to compute activations again in the backward pass instead of keeping them"""
        dim, heads = settings.embedding_dim, self.heads
        self.position = nn.Parameter(torch.zeros(settings.max_history, dim))
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
        arguments = (mean, vectors, place, queries)
        if self.checkpointing and self.training:
            added = checkpoint(self.layer, *arguments, use_reentrant=False)
        else:
            added = self.layer(*arguments)
        return mean + added.float() * queries.has_history.unsqueeze(1)

    def layer(self, mean: Tensor, vectors: Tensor, place: Tensor, queries: QueryBatch) -> Tensor:
        """float[b, d]: what is added to `mean`, float[b, d]; of no use for a row without a history."""
        mixed = attend(self.asked(mean), self.items(vectors), self.position, place, queries)
        return self.answer(mean, mixed)

    def asked(self, mean: Tensor) -> Tensor:
        """float[b, heads, d]: the queries of `mean`, float[b, d]."""
        return self.ask(self.query(mean)).unflatten(1, (self.heads, -1))

    def answer(self, mean: Tensor, mixed: Tensor) -> Tensor:
        """float[b, d]: what is added to `mean`, given what its heads get, float[b, heads, d]."""
        mixed = self.leave(mixed.flatten(1))
        hidden = functional.relu(self.widen(self.between(mean + mixed)))
        return mixed + self.narrow(functional.dropout(hidden, self.dropout, self.training))
