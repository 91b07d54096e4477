"""One layer of fixed propagation over the item-item graph, which towers may have.

ê_i = e_i + Σ_j w_ij e_j over the k items that co-occur most with i. The weights come of the training data,
none is learned; by default Σ_j w_ij is 5 against 1 for the item's own embedding. This is graph convolution
without a learned transformation, as in SGC (Wu et al. 2019, arXiv 1902.07153) and LightGCN (He et al. 2020,
arXiv 2002.02126), in one layer and between items alone. After training it is folded into the tables, and
vectors are served as those of plain towers. Models that have it are no plain two-towers: boards mark them.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from numba import njit
from torch import Tensor, nn

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import neighbor_memory
from retrieval_leaderboard.evaluation.ranking.item_neighbors import Pairs, nearest, say_duration
from retrieval_leaderboard.neural.towers.sums import weighted_sums
from retrieval_leaderboard.neural.training.prefetch import AHEAD, LINE, prefetch
from retrieval_leaderboard.neural.training.threads import fuses, in_parts


class Neighbors(nn.Module):
    """Each of n items with its k most similar: itself in the first of k + 1 places."""

    item: Tensor
    """int64[n, k + 1]: itself again where it has fewer"""
    weight: Tensor
    """float32[n, k + 1]: 1 for itself; 0 where it has fewer"""

    def __init__(self, item: Tensor, weight: Tensor) -> None:
        super().__init__()
        # Made anew of the training data, or folded into the tables: not part of a saved state.
        self.register_buffer("item", item, persistent=False)
        self.register_buffer("weight", weight, persistent=False)

    def mixed(self, vectors: Tensor, items: Tensor) -> Tensor:
        """float[n, d]: of all `vectors`, float[rows, d], those of `items`, int64[n], and their neighbors' by
        weight, without a gradient.
        """
        with torch.no_grad():
            if not fuses(vectors):
                return self.sums(vectors, self.item[items], items)
            sums = vectors.new_empty(len(items), vectors.shape[1])
            arrays = [sums.numpy(), vectors.numpy(), items.numpy(), *self.arrays]
            in_parts(lambda start, stop: mix(start, stop, *arrays), len(items))
            return sums

    def sums(self, vectors: Tensor, place: Tensor, items: Tensor) -> Tensor:
        """As `mixed`, with a gradient, where `place`, int64[n, k + 1], says which of `vectors` are whose."""
        offsets = torch.arange(0, place.numel() + 1, place.shape[1], device=place.device)
        return weighted_sums(vectors, place.flatten(), self.weight[items].flatten(), offsets)

    @cached_property
    def gain(self) -> float:
        """Largest factor by which a gradient of the sums can lengthen on its way to the rows, or more."""
        into = torch.zeros(len(self.item)).index_add_(0, self.item.flatten(), self.weight.flatten())
        # ‖A‖₂² ≤ ‖A‖₁ ‖A‖∞ (Golub & Van Loan, Matrix Computations, 2013, corollary 2.3.2).
        return float((into.max() * self.weight.sum(dim=1).max()).sqrt())

    def transposed(self, items: Tensor) -> Edges:
        """Which rows of a table the gradients of the sums of `items`, int64[n], all different, go to."""
        return Edges(*by_row(items.numpy(), *self.arrays))

    @cached_property
    def arrays(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """`item` and `weight` for kernels on a CPU."""
        return self.item.numpy().astype(np.int32), self.weight.numpy()


class Edges(NamedTuple):
    """For each row of a table, the sums that it takes part in."""

    offsets: npt.NDArray[np.int64]
    """int64[rows + 1]"""
    source: npt.NDArray[np.int32]
    """int32[total]: places of the sums"""
    weight: npt.NDArray[np.float32]
    """float32[total]"""


def neighbors_of(train: Interactions, k: int, weight: float) -> Neighbors:
    """The k most similar items of each, which together weigh `weight`, each in proportion to its similarity.

    The similarity is the cosine of Sarwar et al. 2001 (Item-based collaborative filtering), in which a
    user with n items counts n^-¼: Σ_{u ∈ U_i ∩ U_j} n_u^-¼ / √(|U_i| |U_j|).
    """

    def need(pairs: Pairs) -> int:
        return neighbor_memory.comparing(train, k, pairs, neighbor_memory.kept(train, k, pairs))

    say_duration(train, k, "neighbors", need)
    users = np.maximum(train.user_counts, 1) ** -0.25
    norms = np.maximum(train.item_counts, 1) ** 0.5
    similar = nearest(train, users, (norms, norms), 0.0, k, "neighbors")
    found = Ragged.from_offsets(similar.indices, similar.indptr)
    row, place = found.rows(), 1 + found.positions()
    item = np.repeat(np.arange(train.n_items)[:, None], k + 1, axis=1)
    item[row, place] = similar.indices
    share = np.zeros(item.shape, np.float32)
    share[:, 0] = 1
    share[row, place] = weight * similar.data / np.bincount(row, similar.data, train.n_items)[row]
    return Neighbors(torch.from_numpy(item), torch.from_numpy(share))


@njit(cache=True, nogil=True)
def mix(start, stop, sums, vectors, items, item, weight):
    """Write the sums `start`..`stop` - 1: those of `vectors` for `items` and their neighbors.

    Args:
        start, stop: the sums.
        sums: float32[n, dim].
        vectors: float32[rows, dim].
        items: int64[n].
        item, weight: `Neighbors.arrays`.
    """
    for at in range(start, stop):
        if at + AHEAD < stop:
            _ask(item, items[at + AHEAD])
            _ask(weight, items[at + AHEAD])
        if at + 1 < stop:
            for place in range(item.shape[1]):
                _ask(vectors, item[items[at + 1], place])
        total = sums[at]
        total[:] = 0
        for place in range(item.shape[1]):
            added, share = vectors[item[items[at], place]], weight[items[at], place]
            for d in range(len(total)):
                total[d] += share * added[d]


@njit(cache=True, nogil=True, inline="always")
def _ask(array, row):
    """Have a row of `array`, 4 bytes a number, in the cache soon."""
    for d in range(0, array.shape[1], LINE):
        prefetch(array, row, d)


@njit(cache=True, nogil=True)
def by_row(items, item, weight):
    """`Edges` of the sums of `items`, int64[n], with `Neighbors.arrays`: a counting sort.

    A neighbor that there is not is the item itself, with weight 0, and needs no look.
    """
    offsets = np.zeros(len(item) + 1, np.int64)
    for at in range(len(items)):
        if at + AHEAD < len(items):
            _ask(item, items[at + AHEAD])
        for place in range(item.shape[1]):
            offsets[item[items[at], place] + 1] += 1
    for row in range(len(item)):
        offsets[row + 1] += offsets[row]
    source, share = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32)
    free = offsets[:-1].copy()
    for at in range(len(items)):
        if at + AHEAD < len(items):
            _ask(item, items[at + AHEAD])
            _ask(weight, items[at + AHEAD])
        for place in range(item.shape[1]):
            row = item[items[at], place]
            source[free[row]], share[free[row]] = at, weight[items[at], place]
            free[row] += 1
    return offsets, source, share
