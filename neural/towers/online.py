"""The user tower in NumPy, for few queries at a time: there PyTorch takes longer to call than to compute.

Notation: b queries, h items in all their histories, f fields, d dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.neural.towers.head import Concatenation
from retrieval_leaderboard.neural.towers.history_encoders import Mean, PositionWeighted
from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule
from retrieval_leaderboard.neural.training.exact import BatchNorm, LayerNorm
from retrieval_leaderboard.neural.training.unit_length import SHORTEST
from retrieval_leaderboard.support.storage import pages

Vectors = npt.NDArray[np.float32]
Layer = Callable[[Vectors], Vectors]
MOST_BYTES = 2**30
"""Of what is kept of the users: a tower that would keep more stays with PyTorch"""
ROWS_A_BLOCK = 65_536


class OnlineUsers:
    """What `TwoTowerModule.users` and `is_known` give for users without features of their own, to rounding.

    Whatever is the same for every query is computed once: the vector of each item in a history, and what is
    known of each trained user.
    """

    def __init__(self, towers: TwoTowerModule) -> None:
        """Towers that `fits` takes."""
        settings = towers.settings
        self._cosine, self._recency = settings.similarity == "cosine", towers.recency
        items = torch.arange(len(towers.item_known))
        # The last row is that of user -1.
        users = torch.cat([torch.arange(len(towers.user_known)), torch.tensor([-1])])
        self._item_known = _rows(towers.is_known_item, items)
        self._user_known = _rows(towers.is_known_user, users)
        self._item_weight = towers.item_weight.numpy()
        self._own = self._profile = self._in_history = self._as_newest = None
        if towers.user is not None:
            self._own = _rows(towers.own, users)  # (users + 1, 1, d)
        if towers.user_rows is not None:
            self._profile = _rows(towers.profile, users)  # (users + 1, f, d)
        encoder = towers.encoder
        self._place = encoder.place.detach().numpy() if isinstance(encoder, PositionWeighted) else None
        if encoder is not None:
            self._in_history = _rows(towers.in_history, items) * np.float32(1 - settings.user_share)
        if (newest := towers.newest) is not None:
            self._as_newest = _rows(lambda block: towers.as_newest(newest, block), items)
        self._layers = [] if towers.user_head.layers is None else _layers(towers.user_head.layers)
        for name, table in vars(self).items():
            if isinstance(table, np.ndarray):
                setattr(self, name, pages.shared(table))

    @staticmethod
    def fits(towers: TwoTowerModule) -> bool:
        """Whether the towers are on a CPU and of the kinds that are computed here."""
        users = len(towers.user_known) * towers.user_fields() * towers.settings.embedding_dim * 4
        return (
            towers.item_known.device.type == "cpu"
            and towers.context is None
            and towers.neighbors is None
            and (towers.encoder is None or type(towers.encoder) in (Mean, PositionWeighted))
            and type(towers.user_head.interact) is Concatenation
            and users <= MOST_BYTES
        )

    def __call__(self, user: npt.NDArray[np.int32], history: Ragged) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """float32[b, d]: the queries' vectors; bool[b]: whether anything is known of their users.

        Args:
            user: int32[b], -1 for users without a code.
            history: b rows of items, only those that count.
        """
        items, offsets = history.compact()
        rows = np.flatnonzero(history.lengths)
        starts, known = offsets[rows], self._user_known[user]
        fields = [] if self._own is None else [self._own[user]]
        if self._in_history is not None:
            vectors = np.zeros((len(user), 1, self._in_history.shape[1]), np.float32)
            if len(rows):
                vectors[rows, 0] = self._means(self._in_history, items, offsets, starts)
                known[rows] |= np.logical_or.reduceat(self._item_known[items], starts)
            fields.append(vectors)
        if self._as_newest is not None:
            vectors = np.zeros((len(user), 1, self._as_newest.shape[1]), np.float32)
            vectors[rows, 0] = self._as_newest[items[offsets[rows + 1] - 1]]
            fields.append(vectors)
        if self._profile is not None:
            fields.append(self._profile[user])
        found = self._head(np.concatenate(fields, axis=1))
        if self._cosine:
            found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), SHORTEST)
        return found, known

    def _means(
        self,
        table: Vectors,
        items: npt.NDArray[np.int32],
        offsets: npt.NDArray[np.int64],
        starts: npt.NDArray[np.int64],
    ) -> Vectors:
        """float32[rows, d]: the weighted means of histories that begin at `starts`, see `history.weights`."""
        weight, vectors = self._item_weight[items], table[items]
        if self._recency or self._place is not None:
            from_end = np.repeat(offsets[1:], np.diff(offsets)) - 1 - np.arange(len(items))
            weight = weight * (from_end + 1).astype(np.float32) ** np.float32(-self._recency)
            if self._place is not None:
                vectors *= self._place[np.minimum(from_end, len(self._place) - 1)]
        sums: Vectors = np.add.reduceat(vectors * weight[:, None], starts, axis=0)
        sums /= np.add.reduceat(weight, starts)[:, None]
        return sums

    def _head(self, fields: Vectors) -> Vectors:
        """float32[b, d] of float32[b, f, d], as `Head`."""
        total: Vectors = fields.sum(axis=1)
        if self._layers:
            deep = fields.reshape(len(fields), -1)
            for layer in self._layers:
                deep = layer(deep)
            total += deep
        return total


def _rows(part: Callable[[Tensor], Any], ids: Tensor) -> npt.NDArray[Any]:
    """What `part` gives for each of `ids`."""
    with torch.inference_mode():
        return np.concatenate([part(block).numpy() for block in ids.split(ROWS_A_BLOCK)])


def _layers(layers: nn.Sequential) -> list[Layer]:
    """The layers of a head's deep part in NumPy."""
    return [_PLAIN[type(layer)](layer) for layer in layers if type(layer) is not nn.Dropout]


def _linear(layer: nn.Linear) -> Layer:
    # BLAS takes twice as long for a transposed view of so few rows.
    weight, bias = np.ascontiguousarray(layer.weight.detach().numpy().T), layer.bias.detach().numpy()
    return lambda rows: rows @ weight + bias


def _relu(_: nn.ReLU) -> Layer:
    return lambda rows: np.maximum(rows, np.float32(0))


def _layer_norm(layer: LayerNorm) -> Layer:
    weight, bias, least = layer.weight.detach().numpy(), layer.bias.detach().numpy(), np.float32(layer.eps)

    def normalized(rows: Vectors) -> Vectors:
        centered = rows - _mean(rows)
        centered *= weight / np.sqrt(_mean(centered * centered) + least)
        centered += bias
        return centered

    return normalized


def _mean(rows: Vectors) -> Vectors:
    """float32[b, 1]; np.mean takes twice as long for few rows."""
    mean: Vectors = rows.sum(axis=1, keepdims=True) / np.float32(rows.shape[1])
    return mean


def _batch_norm(layer: BatchNorm) -> Layer:
    assert layer.running_mean is not None and layer.running_var is not None
    with torch.inference_mode():
        factor = layer.weight / torch.sqrt(layer.running_var + layer.eps)
        scale, shift = factor.numpy(), (layer.bias - layer.running_mean * factor).numpy()
    return lambda rows: rows * scale + shift


_PLAIN: dict[type[nn.Module], Callable[..., Layer]] = {
    nn.Linear: _linear,
    nn.ReLU: _relu,
    LayerNorm: _layer_norm,
    BatchNorm: _batch_norm,
}
