"""Histories as vectors, from padded matrices: what `neural.towers.history_encoders` makes of ragged ones.

Notation: b queries, l places of a history, d dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.towers.attention import attend_padded
from retrieval_leaderboard.neural.towers.causal import Causal, Layer
from retrieval_leaderboard.neural.towers.history_encoders import (
    Mean,
    PositionWeighted,
    SelfAttention,
    UserAttention,
)


class Histories(NamedTuple):
    """b histories in l places, the newest item in the last one and padding before the oldest."""

    vectors: Tensor
    """float32[b, l, d], of the items"""
    present: Tensor
    """bool[b, l]: where there is an item"""
    weight: Tensor
    """float32[b, l], summing to 1 over each history"""
    user: Tensor
    """float32[b, d]: what is known of the users beside their histories"""

    @property
    def from_end(self) -> Tensor:
        """int64[l]: how many places come after each."""
        return places_from_end(self.present)


def places_from_end(places: Tensor) -> Tensor:
    """int64[l]: how many places of `places`, [b, l], come after each."""
    return torch.arange(places.shape[1], device=places.device).flip(0)


def newest(history: Tensor, length: int, padding: int) -> Tensor:
    """[b, length]: the last places of `history`, int64[b, l], with padding before a shorter one."""
    return functional.pad(history, (length, 0), value=padding)[:, -length:]


def weights(item_weight: Tensor, present: Tensor, recency: float) -> Tensor:
    """float32[b, l]: as `neural.towers.history.weights`, 0 where there is no item.

    Args:
        item_weight: float32[b, l], of the items.
        present: bool[b, l].
        recency: the r-th item from the end weighs r^-recency.
    """
    weight = item_weight * present
    if recency:
        weight = weight * (places_from_end(present) + 1).float() ** -recency
    return _shares(weight)


def encoded(encoder: Any, histories: Histories) -> Tensor:
    """float32[b, d]: what `encoder`, a trained history encoder, makes of `histories`."""
    return _ENCODERS[type(encoder)](encoder, histories)


def _shares(weight: Tensor) -> Tensor:
    total = weight.sum(dim=1, keepdim=True)
    return weight / torch.where(total > 0, total, 1)


def _sum(weight: Tensor, vectors: Tensor) -> Tensor:
    """float32[b, d]: Σ weight · vectors of each row."""
    return (weight.unsqueeze(1) @ vectors).squeeze(1)


def _mean(encoder: Mean, histories: Histories) -> Tensor:
    return _sum(histories.weight, histories.vectors)


def _position_weighted(encoder: PositionWeighted, histories: Histories) -> Tensor:
    factor = encoder.place[histories.from_end.clamp(max=len(encoder.place) - 1)]  # (l, d)
    return _sum(histories.weight, histories.vectors * factor)


def _user_attention(encoder: UserAttention, histories: Histories) -> Tensor:
    key = torch.tanh(encoder.key(histories.vectors))
    score = (key @ histories.user.unsqueeze(2)).squeeze(2)  # (b, l)
    score = score.masked_fill(~histories.present, -torch.inf)
    largest = score.amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).min)
    return _sum(_shares(histories.weight * torch.exp(score - largest)), histories.vectors)


def _self_attention(encoder: SelfAttention, histories: Histories) -> Tensor:
    mean = _sum(histories.weight, histories.vectors)
    longest = len(encoder.position)
    vectors = functional.pad(histories.vectors, (0, 0, longest, 0))[:, -longest:].flip(1)
    present = functional.pad(histories.present, (longest, 0))[:, -longest:].flip(1)
    keys = encoder.items(vectors) + encoder.position
    added = encoder.answer(mean, attend_padded(encoder.asked(mean), keys, present))
    return mean + added * histories.present.any(dim=1, keepdim=True)


def _causal(encoder: Causal, histories: Histories) -> Tensor:
    items = histories.vectors + encoder.position[histories.from_end]
    older = torch.ones(items.shape[1], items.shape[1], dtype=torch.bool).tril()
    # Padding sees itself, for a mean of nothing is no number.
    mask = (older & histories.present.unsqueeze(1)) | torch.eye(items.shape[1], dtype=torch.bool)
    for layer in encoder.layers:
        assert isinstance(layer, Layer)
        items = items + layer.leave(_attention(layer, items, mask.unsqueeze(1)))
        items = items + layer.narrow(functional.relu(layer.widen(layer.between(items))))
    return encoder.last(items[:, -1]) * histories.present.any(dim=1, keepdim=True)


def _attention(layer: Layer, items: Tensor, mask: Tensor) -> Tensor:
    """float32[b, l, d] of float32[b, l, d]; `mask`, bool[b, 1, l, l], says which items see which."""
    asked = layer.ask(layer.before(items)).unflatten(2, (3, layer.heads, -1))
    query, key, value = asked.permute(2, 0, 3, 1, 4).unbind()  # (b, heads, l, ·) each
    return functional.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2).flatten(2)


_ENCODERS: dict[type, Callable[[Any, Histories], Tensor]] = {
    Mean: _mean,
    PositionWeighted: _position_weighted,
    UserAttention: _user_attention,
    SelfAttention: _self_attention,
    Causal: _causal,
}
