"""Weights of earlier towers, put in the places that users and items have today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.towers.vocabulary import TowerColumns

ITEMS, USERS = ("item.weight", "history.weight", "newest.weight"), ("user.weight",)
"""Tensors with a row for each item or user, and one more"""
OF_TODAY = ("user_known", "item_known", "item_weight", "user_rows.", "item_rows.")
"""How the names of tensors begin that are told by the data"""


@dataclass(frozen=True)
class Start:
    """Trained towers that others begin as."""

    weights: Mapping[str, npt.NDArray[np.generic]]
    """`state_dict()` of those, as they were trained"""
    columns: TowerColumns
    """How those saw features"""
    user: npt.NDArray[np.int32]
    """int32[n_users]: the row of each of today's users among those; -1 for a new one"""
    item: npt.NDArray[np.int32]
    """int32[n_items]: the same of items"""

    def put_into(self, towers: TwoTowerModule) -> None:
        """Overwrite fresh weights; rows of new users and items stay as they are."""
        state = towers.state_dict()
        for name, values in self.weights.items():
            if not name.startswith(OF_TODAY):
                _put(torch.from_numpy(values), state[name], self._rows(name))

    def _rows(self, name: str) -> npt.NDArray[np.int32] | None:
        """As `user` and `item`, of a tensor that has such rows."""
        return self.item if name in ITEMS else self.user if name in USERS else None


def _put(values: Tensor, into: Tensor, rows: npt.NDArray[np.int32] | None) -> None:
    if rows is None:
        into.copy_(values.reshape(into.shape))  # A saved number comes back as an array of one.
        return
    known = torch.as_tensor(np.flatnonzero(rows >= 0))
    into[known] = values[torch.as_tensor(rows)[known].long()]
