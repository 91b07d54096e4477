"""Weights of earlier towers, put in the places that users and items have today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.towers.vocabulary import TowerColumns

if TYPE_CHECKING:
    from retrieval_leaderboard.datasets.dataset import Interactions
    from retrieval_leaderboard.evaluation.models.earlier import Earlier

ITEMS, USERS = ("item.weight", "history.weight", "newest.weight"), "user.weight"
"""Tensors with a row for each item or user, and one more"""
FEATURES = {
    "user": "user_features.table.weight",
    "item": "item_features.table.weight",
    "context": "context.table.weight",
}
"""The tensor with a row for each value of the features of a side, and one more"""
OF_TODAY = ("user_known", "item_known", "item_weight", "user_rows.", "item_rows.")
"""How the names of tensors begin that are told by the data"""


@dataclass(frozen=True)
class Start:
    """Trained towers that others begin as."""

    weights: Mapping[str, npt.NDArray[np.generic]]
    """`state_dict()` of those, as they were trained"""
    columns: TowerColumns
    """How today's see features"""
    rows: Mapping[str, npt.NDArray[np.integer]]
    """Name of a tensor → for each of today's users, items or values of features its row then, or -1"""

    @classmethod
    def of(cls, earlier: Earlier[Any], train: Interactions) -> Self:
        """As a fit of two towers ended, in today's codes."""
        model = earlier.model
        columns, values = TowerColumns.from_json(model.columns_).going_on(earlier.then, train)
        rows: dict[str, npt.NDArray[np.integer]] = dict.fromkeys(ITEMS, earlier.item)
        rows |= {USERS: earlier.user} | {FEATURES[side]: each for side, each in values.items()}
        return cls({**model.weights_, **model.unmixed_}, columns, rows)

    def put_into(self, towers: TwoTowerModule) -> None:
        """Overwrite fresh weights; rows of what is new stay as they are."""
        state = towers.state_dict()
        for name, values in self.weights.items():
            if not name.startswith(OF_TODAY):
                _put(torch.from_numpy(values), state[name], self.rows.get(name))


def _put(values: Tensor, into: Tensor, rows: npt.NDArray[np.integer] | None) -> None:
    if rows is None:
        into.copy_(values.reshape(into.shape))  # A saved number comes back as an array of one.
        return
    known = torch.as_tensor(np.flatnonzero(rows >= 0))
    into[known] = values[torch.as_tensor(rows)[known].long()]
