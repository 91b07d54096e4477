"""The two towers: a user at a moment and an item, as vectors whose inner product is the score.

Notation: b users at a moment, h items in all their histories, n items, d dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from datasets.dataset import Features
from neural.features import FeatureEncoder
from neural.history import Moments, weighted_sum, weights
from neural.tables import Table


@dataclass(frozen=True)
class Shape:
    """What the towers are made of."""

    dim: int
    cosine: bool
    """Whether vectors are scaled to length 1"""
    user_share: float
    """γ, the weight of the user id embedding; the history has 1 - γ"""
    shared: bool
    """Whether histories are made of the item id embeddings instead of a table of their own"""
    project: bool
    """Whether the mean of the history passes a d × d matrix"""
    newest: bool
    """Whether the newest item of the history adds a vector from a table of its own"""
    recency: float
    """The r-th history item from the end weighs r^-recency"""
    init_scale: float
    """Standard deviation of fresh embeddings"""


@dataclass(frozen=True)
class Vocabulary:
    """What the towers know of users and items; all arrays in codes."""

    user_known: Tensor
    """float32[n_users]: 1 for a user with training interactions, else 0"""
    item_known: Tensor
    """float32[n_items]: the same of items"""
    item_weight: Tensor
    """float32[n_items]: weight of an item in the mean of a history"""
    user_features: Features | None
    item_features: Features | None


class TwoTowers(nn.Module):
    """User: γ·e_u + (1-γ)·(W·mean(history) + newest item) + features. Item: e_i + features.

    The user's side is SimpleX's (Mao et al. 2021, eq. 4). The id embedding of a user or item
    without training interactions counts as zero.
    """

    user_known: Tensor
    item_known: Tensor
    item_weight: Tensor

    def __init__(self, shape: Shape, vocabulary: Vocabulary, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        n_users, n_items = len(vocabulary.user_known), len(vocabulary.item_known)

        def table(rows: int, wanted: bool = True) -> Table | None:
            return Table(rows, shape.dim, shape.init_scale, generator) if wanted else None

        def features(known: Features | None) -> FeatureEncoder | None:
            return FeatureEncoder(known, shape.dim, shape.init_scale, generator) if known else None

        self.item = Table(n_items, shape.dim, shape.init_scale, generator)
        self.history = table(n_items, shape.user_share < 1 and not shape.shared)
        self.newest = table(n_items, shape.user_share < 1 and shape.newest)
        self.user = table(n_users, shape.user_share > 0)
        self.user_features = features(vocabulary.user_features)
        self.item_features = features(vocabulary.item_features)
        self.project = nn.Parameter(torch.eye(shape.dim)) if shape.project else None
        self.bias = nn.Parameter(torch.zeros(()))
        for name in ("user_known", "item_known", "item_weight"):
            self.register_buffer(name, getattr(vocabulary, name))

    def forward(self, moments: Moments, items: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors of the moments, float[b, d], and of the item ids `items`, float[n, d]."""
        n = len(items)
        shared = self.shape.shared and self.shape.user_share < 1
        # A table is leased once a step, so a shared one looks up both at once.
        vectors, index = self.item.rows(torch.cat([items, moments.history]) if shared else items)
        item = self.item_vectors(items, vectors[index[:n]])
        vector = self.users(moments.user)
        if self.shape.user_share < 1:
            if self.history is not None:
                vectors, index = self.history.rows(moments.history)
            else:
                index = index[n:]
            weight = weights(moments, self.item_weight, self.shape.recency)
            vector = vector + self.history_part(weighted_sum(vectors, index, weight, moments))
        if self.newest is not None:
            newest = self.newest(moments.newest()) * moments.has_history.unsqueeze(1)
            vector = vector + (1 - self.shape.user_share) * newest
        return (functional.normalize(vector, dim=1) if self.shape.cosine else vector), item

    def item_vectors(self, items: Tensor, own: Tensor) -> Tensor:
        """float[n, d]: the items' vectors; `own` are their id embeddings."""
        vector = own * self.item_known[items].unsqueeze(1)
        if self.item_features is not None:
            vector = vector + self.item_features(items)
        return functional.normalize(vector, dim=1) if self.shape.cosine else vector

    def history_part(self, vectors: Tensor) -> Tensor:
        """float[n, d]: (1-γ)·W·vectors."""
        projected = vectors if self.project is None else vectors @ self.project
        return (1 - self.shape.user_share) * projected

    def users(self, user: Tensor) -> Tensor:
        """float[b, d]: what does not depend on the history."""
        vector = torch.zeros(len(user), self.shape.dim, device=user.device)
        if self.user is not None:
            known = self.user_known[user].unsqueeze(1)
            vector = self.shape.user_share * known * self.user(user)
        if self.user_features is not None:
            vector = vector + self.user_features(user)
        return vector

    @torch.no_grad()
    def export(self) -> dict[str, Tensor]:
        """The towers as plain tables on the CPU, all a query needs.

        `item` float32[n_items, d] are finished item vectors. A user's vector is, before it is
        scaled to length 1: `user`[u] + Σ weight · `history`[i] + `newest`[last i].
        """
        every_item = torch.arange(len(self.item_known), device=self.item_known.device)
        every_user = torch.arange(len(self.user_known), device=self.item_known.device)
        tables = {"item": self.item_vectors(every_item, self.item.weight)}
        if self.user is not None or self.user_features is not None:
            tables["user"] = self.users(every_user)
        if self.shape.user_share < 1:
            source = self.item if self.history is None else self.history
            tables["history"] = self.history_part(source.weight) * self.item_known.unsqueeze(1)
        if self.newest is not None:
            scaled = (1 - self.shape.user_share) * self.newest.weight
            tables["newest"] = scaled * self.item_known.unsqueeze(1)
        return {name: table.float().cpu().clone() for name, table in tables.items()}

    def trained(self) -> list[Tensor]:
        """Everything that training changes."""
        tables = [part.weight for part in self.modules() if isinstance(part, Table)]
        return [*tables, *self.parameters()]
