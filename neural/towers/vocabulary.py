"""What the two towers know of users and items beside what they learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from torch import Tensor

from retrieval_leaderboard.neural.towers.columns import Columns, FeatureRows
from retrieval_leaderboard.neural.towers.neighbors import Neighbors


@dataclass(frozen=True)
class TowerColumns:
    """The features that the towers see; None where there are none of a kind."""

    user: Columns | None = None
    item: Columns | None = None
    context: Columns | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From `dataclasses.asdict`, or that through JSON."""
        return cls(**{name: Columns.from_json(each) if each else None for name, each in stored.items()})


@dataclass(frozen=True)
class Vocabulary:
    """All arrays in codes."""

    user_known: Tensor
    """float32[n_users]: 1 for a user with training interactions, else 0"""
    item_known: Tensor
    """float32[n_items]: the same of items"""
    item_weight: Tensor
    """float32[n_items]: weight of an item in the mean of a history"""
    columns: TowerColumns = field(default_factory=TowerColumns)
    user_rows: FeatureRows | None = None
    item_rows: FeatureRows | None = None
    neighbors: Neighbors | None = None
