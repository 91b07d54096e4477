"""What two towers are made of, and what they know of users and items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from torch import Tensor

from retrieval_leaderboard.neural.towers.columns import Columns, FeatureRows
from retrieval_leaderboard.neural.towers.head import HeadShape
from retrieval_leaderboard.neural.towers.neighbors import Neighbors


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
    newest: bool
    """Whether the newest item of the history adds a vector from a table of its own"""
    recency: float
    """The r-th history item from the end weighs r^-recency"""
    history_encoder: str = "mean"
    """As the setting of a two-tower model, never "auto"."""
    heads: int = 4
    """Attention heads of self_attention"""
    longest: int = 50
    """Newest items that self_attention looks at, or positions that position_weighted tells apart"""
    frugal: bool = False
    """Whether self_attention computes its activations twice instead of keeping them"""
    id_dropout: float = 0.0
    """Share of ids that training replaces by "unknown" """
    history_dropout: float = 0.0
    """Share of the history vector's numbers that training sets to zero"""
    head: HeadShape = field(default_factory=HeadShape)
    user_columns: Columns | None = None
    item_columns: Columns | None = None
    context_columns: Columns | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From `dataclasses.asdict`, or that through JSON."""
        head = HeadShape(**(stored["head"] | {"widths": tuple(stored["head"]["widths"])}))
        columns = {
            name: Columns.from_json(stored[name]) if stored[name] else None
            for name in ("user_columns", "item_columns", "context_columns")
        }
        return cls(**{**stored, "head": head, **columns})


@dataclass(frozen=True)
class Vocabulary:
    """What the towers know of users and items; all arrays in codes."""

    user_known: Tensor
    """float32[n_users]: 1 for a user with training interactions, else 0"""
    item_known: Tensor
    """float32[n_items]: the same of items"""
    item_weight: Tensor
    """float32[n_items]: weight of an item in the mean of a history"""
    user_rows: FeatureRows | None = None
    item_rows: FeatureRows | None = None
    neighbors: Neighbors | None = None
