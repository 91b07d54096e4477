"""From the vectors of a history's items to one vector.

Notation: b users at a moment, h items in all their histories, n item vectors, d dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from neural.history import Moments
from neural.sums import weighted_sums
from neural.tables import taken

ENCODERS = ("mean", "user_attention", "self_attention")


class Mean(nn.Module):
    """The weighted mean."""

    def forward(
        self, vectors: Tensor, place: Tensor, weight: Tensor, moments: Moments, user: Tensor
    ) -> Tensor:
        """float[b, d].

        Args:
            vectors: float[n, d].
            place: int64[h]: which vector is each history item's.
            weight: float32[h], summing to 1 over each history.
            moments: whose rows the items belong to.
            user: float[b, d], what is known of the users beside their histories.
        """
        return weighted_sums(vectors, place, weight, moments.offsets)


class UserAttention(nn.Module):
    """The weighted mean, each weight times exp(u · tanh(W v)): the user_attention of SimpleX's code
    (Mao et al. 2021), times the weights of the plain mean.
    """

    def __init__(self, dim: int, generator: torch.Generator | None) -> None:
        super().__init__()
        self.key = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.key.weight, generator=generator)
        nn.init.zeros_(self.key.bias)

    def forward(
        self, vectors: Tensor, place: Tensor, weight: Tensor, moments: Moments, user: Tensor
    ) -> Tensor:
        """As `Mean.forward`."""
        key = taken(torch.tanh(self.key(vectors)).float(), place)  # (h, d)
        score = (key * user[moments.row]).sum(dim=1)
        largest = score.new_full((len(user),), -torch.inf)
        largest = largest.scatter_reduce(0, moments.row, score.detach(), "amax")
        weight = weight * torch.exp(score - largest[moments.row])
        total = weight.new_zeros(len(user)).index_add(0, moments.row, weight)
        return weighted_sums(vectors, place, weight / total[moments.row], moments.offsets)


class SelfAttention(nn.Module):
    """A transformer layer over the newest items, then the weighted mean of what it gives.

    Positions count from the end. Histories are padded to the longest that counts.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        longest: int,
        dropout: float,
        frugal: bool,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.longest, self.heads, self.dropout = longest, heads, dropout
        self.frugal = frugal
        """Whether to compute activations again in the backward pass instead of keeping them"""
        self.position = nn.Parameter(torch.zeros(longest, dim))
        self.before, self.between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attend, self.leave = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.widen, self.narrow = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        for layer in (self.attend, self.leave, self.widen, self.narrow):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
        for layer in (self.leave, self.narrow):  # At first the layer passes its input on.
            nn.init.zeros_(layer.weight)

    def forward(
        self, vectors: Tensor, place: Tensor, weight: Tensor, moments: Moments, user: Tensor
    ) -> Tensor:
        """As `Mean.forward`."""
        from_end = (
            moments.offsets[1:][moments.row] - 1 - torch.arange(len(place), device=place.device)
        )  # (h,)
        # Older items fall into a column too many, which is cut off.
        column = from_end.clamp(max=self.longest)
        shape = (len(user), self.longest + 1)
        share = weight.new_zeros(shape).index_put((moments.row, column), weight)[:, :-1]  # (b, longest)
        items = vectors.new_zeros(*shape, vectors.shape[1]).index_put(
            (moments.row, column), taken(vectors, place)
        )
        items = items[:, :-1]  # (b, longest, d)
        if self.frugal and self.training:
            items = checkpoint(self.layer, items, share > 0, use_reentrant=False)
        else:
            items = self.layer(items, share > 0)
        share = share / share.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return (share.unsqueeze(1) @ items.float()).squeeze(1)

    def layer(self, items: Tensor, present: Tensor) -> Tensor:
        """float[b, l, d] of float[b, l, d]; bool[b, l] tells which items are there."""
        b, length, dim = items.shape
        split = self.attend(self.before(items + self.position)).view(
            b, length, 3, self.heads, dim // self.heads
        )
        query, key, value = split.permute(2, 0, 3, 1, 4)  # (b, heads, l, d / heads) each
        # A history without items attends to its padding, which then counts for nothing.
        mask = (present | ~present.any(dim=1, keepdim=True)).view(b, 1, 1, length)
        share = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, mask, share)
        items = items + self.leave(mixed.transpose(1, 2).reshape(b, length, dim))
        return items + self.narrow(functional.relu(self.widen(self.between(items))))
