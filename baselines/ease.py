"""Linear item-to-item weights in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines import symmetric_inverse
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import ItemToItemRetriever, Rule
from retrieval_leaderboard.evaluation.ranking.blocks import in_blocks
from retrieval_leaderboard.evaluation.ranking.item_neighbors import Block, arrays, stack, users_of_items
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import memory

if TYPE_CHECKING:
    from scipy.sparse import csr_array

ALL = 5_000
"""Catalog up to which every weight is kept"""


def _weights_kept(settings: Mapping[str, Any], train: Interactions, valid: Queries | None) -> int:
    return train.n_items if train.n_items <= ALL else 1_000


@register("ease", by_default=False)
@dataclass
class EASE(ItemToItemRetriever):
    """EASE^R: the item-to-item weights B that minimize ‖X − XB‖² + λ‖B‖² with a diagonal of zeros.

    B_ij = −P_ij / P_jj with P = (XᵀX + λI)⁻¹: equation 8 of Steck, Embarrassingly shallow autoencoders for
    sparse data, WWW 2019. Needs memory for n_items² numbers of 32 bits.
    """

    regularization: float = setting(300.0, above=0, search=(1.0, 10_000.0, "log"))
    """λ"""
    top_k: int | Auto = setting(AUTO, at_least=1)
    """Weights kept for each returned item, the largest in size; auto keeps all of them up to 5,000 items,
    else 1,000."""

    rules: ClassVar[dict[str, Rule]] = {"top_k": _weights_kept}
    stochastic: ClassVar[bool] = False

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Invert the regularized Gram matrix.

        Raises:
            InputError: it does not fit into memory.
        """
        need, free = 4 * train.n_items**2, memory.available()
        if need > free:
            raise InputError(
                f"ease: {train.n_items:,} items need {need >> 20:,} MiB of memory, {free >> 20:,} MiB are "
                "free: leave the model out, or leave out rare items (--k-core)"
            )
        matrix = _gram(train)
        np.fill_diagonal(matrix, matrix.diagonal() + np.float32(self.regularization))
        symmetric_inverse.invert(matrix, "ease")
        top_k = self.resolve(train, valid)["top_k"]
        self.similarity_ = _weights(matrix, top_k)


def _gram(train: Interactions) -> npt.NDArray[np.float32]:
    """float32[n_items, n_items]: how many users took both items."""
    from retrieval_leaderboard.baselines import ease_kernels

    matrix = np.zeros((train.n_items, train.n_items), np.float32)
    users, items = arrays(users_of_items(train)), arrays(train.by_user)
    in_blocks(
        lambda first, last: ease_kernels.count(first, last, users, items, matrix),
        train.n_items, 256, "ease: counting", "items",
    )  # fmt: skip
    return matrix


def _weights(inverse: npt.NDArray[np.float32], top_k: int) -> csr_array:
    """B from P; its column j is −1 / P_jj times row j of P, which is symmetric."""
    n_items = len(inverse)

    def work(first: int, last: int) -> Block:
        rows = inverse[first:last] / -inverse.diagonal()[first:last, None]
        rows[np.arange(last - first), np.arange(first, last)] = 0
        kept = np.argpartition(-np.abs(rows), min(top_k, n_items) - 1, axis=1)[:, :top_k]
        kept.sort(axis=1)
        values = np.take_along_axis(rows, kept, axis=1)
        return np.full(last - first, kept.shape[1]), kept.astype(np.int32).ravel(), values.ravel()

    return stack(in_blocks(work, n_items, 256, "ease: weights", "items"), n_items).T.tocsr()
