"""Item-based collaborative filtering: items taken by the same users are similar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from baselines.similarity import arrays, stack, users_of_items
from datasets.dataset import Interactions, Queries
from evaluation.blocks import in_blocks
from evaluation.registry import register
from evaluation.retriever import ItemToItemRetriever
from support.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@register("item_cf")
@dataclass
class ItemCF(ItemToItemRetriever):
    """Weighted cosine similarity of items, with an exponent for each side.

    s(i, j) = c_ij / (c_ii^a · c_jj^b + shrinkage), c_ij = Σ_{u ∈ U_i ∩ U_j} |I_u|^-p,

    where i is the item of the history and j the item returned. p = 0 and a = b = ½ is the cosine
    of Sarwar et al., Item-based collaborative filtering recommendation algorithms, WWW 2001, as
    used by Linden et al., Amazon.com recommendations, IEEE Internet Computing 2003; shrinkage as
    in Ferrari Dacrema et al., Are we really making much progress?, RecSys 2019.

    With last_n = 1 and top_k as large as the catalogue, the answer is the plain list of the items
    most similar to the last one.
    """

    user_exponent: float = 0.75
    """p: a user with many items says less of each pair of them."""
    history_exponent: float = 0.5
    """a: how far the weight of a popular item of the history is reduced."""
    target_exponent: float = 0.25
    """b: how far the score of a popular returned item is reduced."""
    shrinkage: float = 0.0
    """Added to the denominator: lowers similarities that few users support."""
    top_k: int = 200
    """Most similar history items kept for each returned item."""

    search_space: ClassVar[dict[str, Any]] = {
        "user_exponent": (0.0, 1.5),
        "history_exponent": (0.0, 1.0),
        "target_exponent": (0.0, 1.0),
        "shrinkage": [0.0, 1.0, 10.0, 100.0],
        "top_k": [20, 50, 100, 200, 500, 1000],
    }

    def __post_init__(self) -> None:
        """Refuse settings without a meaning."""
        if self.top_k < 1:
            raise InputError(f"item_cf.top_k must be at least 1, not {self.top_k}")
        if self.last_n < 0:
            raise InputError(f"item_cf.last_n must be at least 0, not {self.last_n}")
        if self.shrinkage < 0:
            raise InputError(f"item_cf.shrinkage must be at least 0, not {self.shrinkage}")

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Count weighted co-occurrences, item by item, and keep the `top_k` largest similarities."""
        from baselines import item_cf_kernels

        items, users = train.by_user, users_of_items(train)
        weights = np.maximum(train.user_counts, 1) ** -float(self.user_exponent)  # (users,)
        # The kernel knows an item it has met by a sum above 0.
        weights = np.maximum(weights, np.finfo(np.float64).tiny)
        size = np.bincount(train.item, weights[train.user], minlength=train.n_items)  # (items,)
        size[size == 0] = 1.0
        target_norms, history_norms = size**self.target_exponent, size**self.history_exponent

        def work(first: int, last: int):
            return item_cf_kernels.nearest(
                first, last, arrays(users), arrays(items), weights, target_norms, history_norms,
                float(self.shrinkage), self.top_k,
            )  # fmt: skip

        blocks = in_blocks(work, train.n_items, 256, "item_cf", "items")
        # The kernel's rows are the returned items; its transpose has a row for each history item.
        self.similarity_ = stack(blocks, train.n_items).T.tocsr()

    @property
    def similarity(self) -> csr_array:
        """float32[n_items, n_items]: row = item of the history, column = item returned."""
        return self.similarity_
