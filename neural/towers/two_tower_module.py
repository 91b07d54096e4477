"""The two towers: a user at a moment and an item, as vectors whose inner product is the score.

Notation: b queries, h items in all their histories, n items, f fields, d dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.towers.causal import Causal
from retrieval_leaderboard.neural.towers.columns import Columns, FeatureRows
from retrieval_leaderboard.neural.towers.distinct import distinct, would_sync
from retrieval_leaderboard.neural.towers.features import FeatureEncoder
from retrieval_leaderboard.neural.towers.head import Head
from retrieval_leaderboard.neural.towers.history import QueryBatch, weights
from retrieval_leaderboard.neural.towers.history_encoders import (
    Mean,
    PositionWeighted,
    SelfAttention,
    UserAttention,
)
from retrieval_leaderboard.neural.towers.tables import Table
from retrieval_leaderboard.neural.towers.vocabulary import TowerColumns, Vocabulary
from retrieval_leaderboard.neural.training.unit_length import unit_length

INIT_SCALE = 0.1
"""Standard deviation of fresh embeddings."""


class TwoTowerModule(nn.Module):
    """A head over fields on either side.

    User: γ·e_u, (1-γ)·history, (1-γ)·newest item, profile features, context; the first two are SimpleX's
    (Mao et al. 2021, eq. 4) without its matrix. Item: e_i and features. The id embedding of a user or item
    without training interactions counts as zero. Where the vocabulary has neighbors, theirs are added to
    every id embedding of an item.
    """

    user_known: Tensor
    item_known: Tensor
    item_weight: Tensor

    def __init__(
        self, settings: TowerSettings, vocabulary: Vocabulary, generator: torch.Generator | None
    ) -> None:
        """The settings are resolved; without a generator tables are zero, for weights to be loaded."""
        super().__init__()
        self.settings, self.columns = settings, vocabulary.columns
        n_users, n_items = len(vocabulary.user_known), len(vocabulary.item_known)
        dim, with_history = settings.embedding_dim, settings.user_share < 1
        in_order = settings.examples == "interaction"
        self.recency = settings.recency if in_order else 0.0

        def table(rows: int, wanted: bool) -> Table | None:
            return Table(rows, dim, INIT_SCALE, generator) if wanted else None

        def features(columns: Columns | None) -> FeatureEncoder | None:
            return FeatureEncoder(columns, dim, INIT_SCALE, generator) if columns else None

        self.item = Table(n_items, dim, INIT_SCALE, generator)
        self.history = table(n_items, with_history and not settings.shared_history)
        self.newest = table(n_items, with_history and in_order)
        self.user = table(n_users, settings.user_share > 0)
        self.user_features, self.item_features = features(self.columns.user), features(self.columns.item)
        self.user_rows, self.item_rows = vocabulary.user_rows, vocabulary.item_rows
        self.neighbors = vocabulary.neighbors
        self.context = features(self.columns.context)
        self.encoder = _encoder(settings, generator) if with_history else None
        self.user_head = Head(self.user_fields(), settings, generator)
        self.item_head = Head(1 + _fields(self.item_features), settings, generator)
        self.bias = nn.Parameter(torch.zeros(()))
        for name in ("user_known", "item_known", "item_weight"):
            self.register_buffer(name, getattr(vocabulary, name))

    @classmethod
    def restore(cls, settings: TowerSettings, columns: TowerColumns, state: Mapping[str, Tensor]) -> Self:
        """Towers with the weights of `state_dict()`, whose tensors they share."""
        vocabulary = Vocabulary(
            state["user_known"], state["item_known"], state["item_weight"], columns,
            _rows(state, "user_rows."), _rows(state, "item_rows."),
        )  # fmt: skip
        towers = cls(settings, vocabulary, None)
        towers.load_state_dict(state, assign=True)
        return towers.eval()

    def folded(self) -> TwoTowerModule:
        """Towers that give the same vectors without neighbors, which their tables have taken in."""
        if self.neighbors is None:
            return self
        state = self.state_dict()
        every = torch.arange(len(self.item_known), device=self.item_known.device)
        with torch.no_grad():
            for name in self.unmixed():
                table = getattr(self, name.removesuffix(".weight"))
                state[name] = functional.pad(table(every, self.neighbors), (0, 0, 0, 1))
        return TwoTowerModule.restore(self.settings, self.columns, state)

    def unmixed(self) -> dict[str, Tensor]:
        """The items' own embeddings, by their names in `state_dict()`, where `folded` adds neighbors'."""
        if self.neighbors is None:
            return {}
        tables = ((name, getattr(self, name)) for name in ("item", "history", "newest"))
        return {f"{name}.weight": table.weight for name, table in tables if table is not None}

    def user_fields(self) -> int:
        """f: what the user's head takes."""
        parts = (self.user, self.encoder, self.newest)
        return sum(part is not None for part in parts) + _fields(self.user_features) + _fields(self.context)

    def forward(self, queries: QueryBatch, items: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors of the queries, float[b, d], and of the item ids `items`, float[n, d]."""
        return self.users(queries), self.items(items)

    def items(self, items: Tensor) -> Tensor:
        """float[n, d]: the vectors of `items`, int64[n]."""
        own = self._counted(self._embeddings(self.item, items), self.item_known, items)
        return self._item(own, self.item_rows, items)

    def new_items(self, rows: FeatureRows) -> Tensor:
        """float[n, d]: the vectors of n items of which nothing but the features, `rows`, is known."""
        ids = torch.arange(len(rows.codes) - 1, device=rows.codes.device)
        return self._item(self.item.rows.new_zeros(len(ids), self.settings.embedding_dim), rows, ids)

    def _item(self, own: Tensor, rows: FeatureRows | None, ids: Tensor) -> Tensor:
        fields = own.unsqueeze(1)
        if self.item_features is not None and rows is not None:
            fields = torch.cat([fields, self.item_features(rows, ids)], dim=1)  # (n, f, d)
        return self._scaled(self.item_head(fields))

    def users(self, queries: QueryBatch, given: FeatureRows | None = None) -> Tensor:
        """float[b, d]: the vectors of `queries`.

        `given` are the profiles of the queries' users, row by row, for users without a code.
        """
        own, profile = self.own(queries.user), self.profile(queries.user, given)
        fields = [] if own is None else [own]
        if self.encoder is not None:
            base = self.bias.new_zeros(len(queries.user), self.settings.embedding_dim)
            for each in (own, profile):
                base = base if each is None else base + each.sum(dim=1)
            fields.append(self._history(queries, base).unsqueeze(1))
        if self.newest is not None:
            newest = self.as_newest(self.newest, queries.newest())
            fields.append((queries.has_history.unsqueeze(1) * newest).unsqueeze(1))
        if profile is not None:
            fields.append(profile)
        if self.context is not None:
            assert queries.context is not None
            fields.append(self.context.vectors(queries.context))
        return self._scaled(self.user_head(torch.cat(fields, dim=1)))

    def as_newest(self, table: Table, items: Tensor) -> Tensor:
        """float[n, d]: what each of `items`, int64[n], adds as the last of a history."""
        known = self._known(self.item_known, items)
        return (1 - self.settings.user_share) * known * self._embeddings(table, items)

    def own(self, user: Tensor) -> Tensor | None:
        """float[b, 1, d]: γ·e_u; None where users have no embeddings."""
        if self.user is None:
            return None
        code = user.clamp(min=0)
        known = self._known(self.user_known, code) * (user >= 0).unsqueeze(1)
        return (self.settings.user_share * known * self.user(code)).unsqueeze(1)

    def profile(self, user: Tensor, given: FeatureRows | None = None) -> Tensor | None:
        """float[b, f, d]: of the users' features, as in `users`; None where users have none."""
        if self.user_features is None or self.user_rows is None:
            return None
        known = self.user_features(self.user_rows, user)
        if given is None:
            return known
        profile = self.user_features(given, torch.arange(len(user), device=user.device))
        return torch.where((user >= 0).view(-1, 1, 1), known, profile)

    def _history(self, queries: QueryBatch, base: Tensor) -> Tensor:
        """float[b, d]: (1-γ)·history."""
        item, vectors, place = self._lease(self.history or self.item, queries.history)
        vectors = self._described(vectors, item)
        weight = weights(queries, self.item_weight, self.recency)
        assert self.encoder is not None
        vector = self.encoder(vectors, place, weight, queries, base)
        if self.settings.history_dropout:
            vector = functional.dropout(vector, self.settings.history_dropout, self.training)
        return (1 - self.settings.user_share) * vector

    def in_history(self, items: Tensor) -> Tensor:
        """float[n, d]: the vectors of `items`, int64[n], in histories."""
        return self._described(self._embeddings(self.history or self.item, items), items)

    def _described(self, vectors: Tensor, items: Tensor) -> Tensor:
        """float[n, d]: embeddings of `items`, int64[n], where they count, and their features."""
        vectors = self._counted(vectors, self.item_known, items)
        if self.item_features is not None and self.item_rows is not None:
            vectors = vectors + self.item_features(self.item_rows, items).sum(dim=1)
        return vectors

    def _lease(self, table: Table, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The distinct `items`, their embeddings with neighbors, and for each of `items` its place."""
        if self.neighbors is None or not would_sync(items):
            return table.lease(items, self.neighbors)
        item, place = distinct(items, len(self.item_known) - 1)
        return item, self._embeddings(table, item), place

    def _embeddings(self, table: Table, items: Tensor) -> Tensor:
        """float[n, d]: the rows of `table` for `items`, int64[n], with those of their neighbors."""
        return table(items, self.neighbors)

    def _counted(self, vectors: Tensor, known: Tensor, ids: Tensor) -> Tensor:
        """`vectors`, float[n, d], of those of `ids`, int64[n], that count; of others zeros."""
        kept = self._known(known, ids)
        every = not would_sync(kept) and bool(kept.all())  # As in most steps, which spares a copy.
        return vectors if every else vectors * kept

    def _known(self, known: Tensor, ids: Tensor) -> Tensor:
        """float[n, 1]: 1 where an id counts, 0 where it is unknown or dropped."""
        kept = known.index_select(0, ids)
        dropped = concrete(self.settings.id_dropout)
        if self.training and dropped:
            kept = kept * (torch.rand_like(kept) >= dropped)
        return kept.unsqueeze(1)

    def _scaled(self, vectors: Tensor) -> Tensor:
        return unit_length(vectors) if self.settings.similarity == "cosine" else vectors

    def is_known(self, queries: QueryBatch, given: FeatureRows | None = None) -> Tensor:
        """bool[b]: whether anything is known of the queries' users."""
        user = queries.user
        known = self.is_known_user(user)
        if self.encoder is not None:
            items = self.is_known_item(queries.history).long()
            known = known | (torch.zeros_like(user).index_add(0, queries.row, items) > 0)
        if self.user_rows is not None and given is not None:
            every = torch.arange(len(user), device=user.device)
            known = known | ((user < 0) & given.is_known(every))
        return known

    def is_known_user(self, user: Tensor) -> Tensor:
        """bool[b]: whether an embedding or a feature is known of each user, int64[b]; of -1 none is."""
        none = torch.zeros_like(user) > 0
        known = none if self.user is None else (user >= 0) & (self.user_known[user] > 0)
        return known if self.user_rows is None else known | self.user_rows.is_known(user)

    def is_known_item(self, items: Tensor) -> Tensor:
        """bool[n]: whether an embedding or a feature is known of each of `items`, int64[n]."""
        known = self.item_known[items] > 0
        return known if self.item_rows is None else known | self.item_rows.is_known(items)

    def low_rate_parameters(self) -> list[nn.Parameter]:
        """Matrices that every example of every step moves, while few move an embedding."""
        return list(self.encoder.parameters()) if isinstance(self.encoder, SelfAttention | Causal) else []

    @property
    def widest_vector(self) -> int:
        """Numbers of the widest vector among the items' features; 0 without one."""
        widths = [] if self.item_rows is None else [each.shape[1] for each in self.item_rows.vectors]
        return max(widths, default=0)

    def changing_state(self) -> dict[str, Tensor]:
        """`state_dict()` without the rows of features, which are data and may be large."""
        return {
            name: each
            for name, each in self.state_dict().items()
            if not name.startswith(("user_rows.", "item_rows."))
        }

    def trained(self) -> list[Tensor]:
        """Everything that training changes."""
        tables = [part.rows for part in self.modules() if isinstance(part, Table)]
        return [*tables, *self.parameters()]


def _encoder(settings: TowerSettings, generator: torch.Generator | None) -> nn.Module:
    kinds = {
        "mean": Mean, "position_weighted": PositionWeighted,
        "user_attention": UserAttention, "self_attention": SelfAttention, "causal": Causal,
    }  # fmt: skip
    return kinds[settings.history_encoder](settings, generator)


def _fields(part: FeatureEncoder | None) -> int:
    return 0 if part is None else part.fields


def _rows(state: Mapping[str, Tensor], prefix: str) -> FeatureRows | None:
    """The feature rows among the tensors of a state; None where it has none."""
    parts = {name.removeprefix(prefix): part for name, part in state.items() if name.startswith(prefix)}
    return FeatureRows.restore(parts) if parts else None
