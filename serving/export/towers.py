"""The two towers as functions of padded matrices, which other runtimes can compute.

Notation: b queries, l places of a history, n items, f fields, d dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.two_tower import TwoTower
from retrieval_leaderboard.serving.export.histories import Histories, encoded, newest, weights

PADDING = -1
"""In place of an item, and of a user without a code"""
ITEMS_A_BLOCK = 2**12


class ItemTower(nn.Module):
    """An item's embedding and features through the head, as `TwoTower.encode_items`."""

    scale: Tensor

    def __init__(self, model: TwoTower, scale: Tensor) -> None:
        """`scale`, float32[n_items], is what the vectors are multiplied by."""
        super().__init__()
        self.towers = model.towers
        self.register_buffer("scale", scale)

    def forward(self, item: Tensor) -> Tensor:
        """float32[n, d]: the vectors of `item`, int64[n], codes of the catalog."""
        towers = self.towers
        fields = (towers.item.weight[item] * towers.item_known[item].unsqueeze(1)).unsqueeze(1)
        if towers.item_features is not None and towers.item_rows is not None:
            fields = torch.cat([fields, towers.item_features(towers.item_rows, item)], dim=1)
        return _scaled(towers, towers.item_head(fields)) * self.scale[item].unsqueeze(1)


class UserTower(nn.Module):
    """A query through the head, as `TwoTower.encode_queries`; features are those of the data, by code."""

    of_history: Tensor
    """float32[n_items, d]: what an item of a history is, with its features"""
    known_items: Tensor
    """bool[n_items]: of which anything is known"""
    known_users: Tensor
    """bool[n_users]: of whom anything is known but the history"""
    default: Tensor
    """float32[d]: the vector of a query of which nothing is known"""

    def __init__(self, model: TwoTower) -> None:
        super().__init__()
        self.towers = model.towers
        in_order = model.resolved_["examples"] != "user"
        self.longest = model.max_history if in_order else 0
        """Items of a history that count, the newest; 0 for all"""
        with torch.no_grad():
            vectors, known = _of_history(self.towers)
            self.register_buffer("known_users", _known_users(self.towers))
        self.register_buffer("of_history", vectors)
        self.register_buffer("known_items", known)
        self.register_buffer("default", torch.from_numpy(model.default_vector_))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Those of `forward` that this model has a use for."""
        of_user = self.towers.user is not None or self.towers.user_features is not None
        parts = {
            "history": self.towers.encoder is not None,
            "user": of_user,
            "context": self.towers.context is not None,
        }
        return tuple(name for name, used in parts.items() if used)

    def forward(
        self, history: Tensor | None = None, user: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        """float32[b, d].

        Args:
            history: int64[b, l], codes of items, the newest in the last place, padding before the oldest.
            user: int64[b], codes.
            context: int64[b, c], as `towers.context.codes_of`.
        """
        towers, own, profile = self.towers, self._own(user), self._profile(user)
        fields = [] if own is None else [own]
        if history is not None:
            history = newest(history, self.longest, PADDING) if self.longest else history
            fields += self._of_histories(history, own, profile)
        if profile is not None:
            fields.append(profile)
        if context is not None:
            assert towers.context is not None
            fields.append(towers.context.vectors(context))
        vectors = _scaled(towers, towers.user_head(torch.cat(fields, dim=1)))
        return torch.where(self._is_known(history, user).unsqueeze(1), vectors, self.default)

    def _own(self, user: Tensor | None) -> Tensor | None:
        """float32[b, 1, d]: γ·e_u."""
        if self.towers.user is None or user is None:
            return None
        code = user.clamp(min=0)
        counts = self.towers.user_known[code] * (user >= 0) * self.towers.settings.user_share
        return (counts.unsqueeze(1) * self.towers.user.weight[code]).unsqueeze(1)

    def _profile(self, user: Tensor | None) -> Tensor | None:
        """float32[b, f, d]"""
        if self.towers.user_features is None or self.towers.user_rows is None or user is None:
            return None
        profile: Tensor = self.towers.user_features(self.towers.user_rows, user)
        return profile

    def _of_histories(self, history: Tensor, own: Tensor | None, profile: Tensor | None) -> list[Tensor]:
        """float32[b, 1, d] each: (1-γ)·history and, where the towers have it, (1-γ)·newest item."""
        towers, share = self.towers, 1 - self.towers.settings.user_share
        codes, present = history.clamp(min=0), history >= 0
        weight = weights(towers.item_weight[codes], present, towers.recency)
        user = self.default.new_zeros(len(history), len(self.default))
        for each in (own, profile):
            user = user if each is None else user + each.sum(dim=1)
        vector = encoded(towers.encoder, Histories(self.of_history[codes], present, weight, user))
        fields = [(share * vector).unsqueeze(1)]
        if towers.newest is not None:
            last = codes[:, -1]
            counts = share * towers.item_known[last] * present[:, -1]
            fields.append((counts.unsqueeze(1) * towers.newest.weight[last]).unsqueeze(1))
        return fields

    def _is_known(self, history: Tensor | None, user: Tensor | None) -> Tensor:
        """bool[b]: as `TwoTowerModule.is_known`."""
        found = []
        if history is not None:
            found.append((self.known_items[history.clamp(min=0)] & (history >= 0)).any(dim=1))
        if user is not None:
            found.append(self.known_users[user.clamp(min=0)] & (user >= 0))
        return torch.stack(found).any(dim=0)


def _of_history(towers: TwoTowerModule) -> tuple[Tensor, Tensor]:
    """float32[n_items, d]: what each item is in a history; bool[n_items]: whether anything is known of it."""
    table, known = towers.history or towers.item, towers.item_known > 0
    vectors = table.rows * towers.item_known.unsqueeze(1)
    if towers.item_features is not None and towers.item_rows is not None:
        for items in torch.arange(len(known)).split(ITEMS_A_BLOCK):
            vectors[items] += towers.item_features(towers.item_rows, items).sum(dim=1)
            known[items] |= towers.item_rows.is_known(items)
    return vectors, known


def _known_users(towers: TwoTowerModule) -> Tensor:
    """bool[n_users]: of whom an id or a feature is known."""
    known = (towers.user_known > 0) & (towers.user is not None)
    if towers.user_rows is not None:
        known |= towers.user_rows.is_known(torch.arange(len(known)))
    return known


def _scaled(towers: TwoTowerModule, vectors: Tensor) -> Tensor:
    return functional.normalize(vectors, dim=1) if towers.settings.similarity == "cosine" else vectors
