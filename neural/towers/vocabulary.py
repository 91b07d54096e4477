"""What the two towers know of users and items beside what they learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.features.column import Column
from retrieval_leaderboard.neural.towers.columns import Columns, FeatureRows
from retrieval_leaderboard.neural.towers.context import known_context
from retrieval_leaderboard.neural.towers.neighbors import Neighbors

Rows = npt.NDArray[np.int64]


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

    def going_on(self, then: Interactions, now: Interactions) -> tuple[TowerColumns, dict[str, Rows]]:
        """For `now`, where these were learned of `then`; and rows of each side, as of `Columns.going_on`."""
        found = {
            side: columns.going_on(_given(then, side), _given(now, side))
            for side, columns in vars(self).items()
            if columns is not None
        }
        later = {side: columns for side, (columns, _) in found.items()}
        return TowerColumns(**later), {side: rows for side, (_, rows) in found.items()}


def _given(train: Interactions, side: str) -> Mapping[str, Column]:
    """The columns of users, items or context, as a field of `TowerColumns` calls that."""
    if side == "context":
        return known_context(train)
    features = train.user_features if side == "user" else train.item_features
    return features.columns if features else {}


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
