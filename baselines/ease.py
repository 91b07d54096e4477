"""Linear item-to-item weights in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from retrieval_leaderboard.baselines import pair_sums, repeats, symmetric_inverse
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import index_type
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.limits import check_memory
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking import neighbor_memory, popularity
from retrieval_leaderboard.evaluation.ranking.item_neighbors import (
    Block,
    Pairs,
    arrays,
    nearest,
    reckoned_activity,
    roots_of,
    say_duration,
    stack,
    users_of_items,
)
from retrieval_leaderboard.evaluation.ranking.neighbor_memory import CODE, ENTRY, WIDE
from retrieval_leaderboard.support import compute

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from retrieval_leaderboard.evaluation.models.earlier import Earlier

Floats = npt.NDArray[np.floating[Any]]
BLOCK_ITEMS = 64
DENSE_ITEMS = 20_000
"""Catalog up to which all items are candidates: the inverse takes 1.5 GiB"""
CANDIDATES = 200
WEIGHT_BYTES = 16
"""Of a weight that is kept, in two copies: while weights are stacked, and while they are turned"""


def _candidates(settings: Mapping[str, Any], train: Interactions, valid: Queries | None) -> int:
    return train.n_items if train.n_items <= DENSE_ITEMS else CANDIDATES


def _regularization(settings: Mapping[str, Any], train: Interactions, valid: Queries | None) -> float:
    """The diagonal of XᵀX grows with the items of a user, and so do the λ that papers have found."""
    return max(4.0 * train.interactions_a_user, 1.0) * train.mean_weight


@register("ease", by_default=False)
@dataclass
class EASE(repeats.RepeatingRetriever):
    """EASE^R: the item-to-item weights B that minimize ‖X − XB‖² + λ‖B‖² with a diagonal of zeros.

    X_ui = √w_ui where user u took item i, w the weight of the interaction (1 without weights), else 0. With
    P = (XᵀX + λI)⁻¹, B_ij = −P_ij / P_jj: equation 8 of Steck, Embarrassingly shallow autoencoders for
    sparse data, WWW 2019. That needs memory for n_items² numbers of 32 bits. With fewer candidates than
    items, B minimizes the same where B_ij = 0 unless i is a candidate of j, one of those with the largest
    cosine: the item selection of Ning and Karypis, SLIM: sparse linear methods for top-N recommender systems,
    ICDM 2011, without its ‖B‖₁. Column j is then the same formula with the inverse for j and its candidates.

    Places for which no item of the history has a weight are filled by popularity, as `global_hot` ranks.
    """

    regularization: float | Auto = setting(
        AUTO, above=0, search=[AUTO, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]
    )
    """λ; auto takes four times the mean number of interactions of a user, and at least 1, times the mean
    weight."""
    candidates: int | Auto = setting(AUTO, at_least=1, search=[AUTO, 100, 200, 400])
    """Items that may have a weight for a returned item; auto takes all, and 200 of more than 20,000 items."""
    top_k: int = setting(1000, at_least=1)
    """Weights kept for each returned item, the largest in size."""
    recency: float = setting(1.0, search=(0.0, 2.0))
    """The r-th history item from the end weighs r^-recency, where the data is in time order."""

    # Without an annotation it is no field, and so no setting.
    pair_sums_ = cast("csr_array | None", None)
    """float64[n_items, n_items]: XᵀX, kept by a warm start for the next one"""

    rules: ClassVar[dict[str, Rule]] = {
        "regularization": _regularization,
        "candidates": _candidates,
        "self_similarity": repeats.rule(0.03),
    }
    saves_memory: ClassVar[str] = f"lower candidates by --set ease.candidates={CANDIDATES}"
    stochastic: ClassVar[bool] = False
    uses_weights: ClassVar[bool] = True

    def without_effect(self, train: Interactions, valid: Queries) -> frozenset[str]:
        """Recency, where the data is not in time order; and as the base."""
        return super().without_effect(train, valid) | (set() if train.ordered else {"recency"})

    def fit_bytes(self, train: Interactions, valid: Queries | None) -> int:
        """The inverse for all items, and the weights kept of it; or the candidates of each item."""
        candidates = self.resolve(train, valid)["candidates"]
        if candidates < train.n_items - 1:
            return self._sparse_bytes(reckoned_activity(train), train, candidates)
        weights = WEIGHT_BYTES * train.n_items * min(self.top_k, train.n_items)
        panels = 4 * symmetric_inverse.BLOCK * 4 * train.n_items  # Of a block of pivots and its products.
        return 4 * train.n_items**2 + max(weights, panels)

    def _sparse_bytes(self, pairs: Pairs, train: Interactions, candidates: int) -> int:
        """The candidates and what is held while they are compared, or solved for, or turned."""
        near = neighbor_memory.kept(train, candidates, pairs)
        kept = near * min(self.top_k / candidates, 1)
        # Of the users who took any of an item's candidates, at most those of the most popular items.
        taken = int(np.sort(train.item_counts)[-candidates - 1 :].sum())
        room = 2 * WIDE * train.n_users + 3 * WIDE * (candidates + 1) ** 2 + (CODE + WIDE) * taken
        solving = neighbor_memory.by_item(train), neighbor_memory.held(train) + int(ENTRY * kept)
        return neighbor_memory.numbers(train) + max(
            neighbor_memory.comparing(train, candidates, pairs, near),
            int(ENTRY * near) + compute.current().threads * room + max(solving),
            int(2 * ENTRY * kept),
        )

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Solve for the weights of each item.

        Raises:
            InputError: as `check_memory`.
        """
        self.pair_sums_ = None  # That of an earlier warm start.
        check_memory(self, train, valid)
        settings = self.resolve(train, valid)
        candidates, strength = settings["candidates"], float(settings["regularization"])
        self.recency_ = self.recency if train.ordered else 0.0
        if candidates < train.n_items - 1:
            self._keep(self._sparse(train, candidates, strength), settings, train)
        else:
            self._keep(self._dense(_gram(train), strength), settings, train)

    def warm_start(self, earlier: Earlier[EASE], train: Interactions, seed: int) -> None:
        """As `fit`, but users who have changed alone are counted for XᵀX, from the second warm start on.

        It is a fit where not all items are candidates.
        """
        settings = self.resolve(train, None)
        if settings["candidates"] < train.n_items - 1:
            self.fit(train, None, seed)
            return
        self.recency_ = self.recency if train.ordered else 0.0
        self.pair_sums_ = pair_sums.updated(earlier, train, _counts)
        gram = self.pair_sums_.astype(np.float32).toarray()
        self._keep(self._dense(gram, float(settings["regularization"])), settings, train)

    def _keep(self, weights: csr_array, settings: Mapping[str, Any], train: Interactions) -> None:
        """Answer from `weights`, B."""
        self.similarity_ = self._with_self(weights, settings, train)
        self.popular_ = popularity.ranked(train.item_weights, train)

    @classmethod
    def in_catalog(cls, resolved: Mapping[str, Any], then: int, now: int) -> dict[str, Any]:
        """Where all items were candidates all of them still are."""
        everything = resolved["candidates"] == then
        kept = super().in_catalog(resolved, then, now)
        return {**kept, "candidates": now} if everything else kept

    def warm_start_bytes(self, train: Interactions) -> int:
        """That of a fit, and XᵀX."""
        return self.fit_bytes(train, None) + pair_sums.bytes_needed(train)

    def _dense(self, gram: npt.NDArray[np.float32], strength: float) -> csr_array:
        """The weights where all items are candidates; `gram`, XᵀX, is overwritten."""
        n_items = len(gram)
        np.fill_diagonal(gram, gram.diagonal() + np.float32(strength))
        symmetric_inverse.invert(gram, "ease")
        kernel = partial(_weights, top_k=self.top_k)
        # What was inverted in this process is cut in it.
        blocks = LocalEngine().map(kernel, gram, n_items, BLOCK_ITEMS, "ease: weights", "items")
        similarity = stack(list(blocks), n_items).T.tocsr()
        similarity.eliminate_zeros()  # Of items without a user in common: they say nothing of each other.
        return similarity

    def _sparse(self, train: Interactions, candidates: int, strength: float) -> csr_array:
        return stack(self._solved(train, candidates, strength), train.n_items).T.tocsr()

    def _solved(self, train: Interactions, candidates: int, strength: float) -> list[Block]:
        need = partial(self._sparse_bytes, train=train, candidates=candidates)
        near = _most_similar(train, candidates, need)
        size = train.n_users, _place_type(train, candidates)
        kernel = partial(_columns, strength=strength, top_k=self.top_k, size=size)
        shared = near.indptr, near.indices, arrays(users_of_items(train)), roots_of(train)[0]
        with threadpool_limits(1, user_api="blas"):  # The blocks have threads of their own.
            return list(engines.current().map(kernel, shared, train.n_items, BLOCK_ITEMS, "ease", "items"))


def _place_type(train: Interactions, candidates: int) -> type[np.signedinteger]:
    """Of numbers up to the interactions of as many items as an item has candidates, and of itself."""
    most = (candidates + 1) * int(train.item_counts.max(initial=0))
    return index_type(min(most, len(train)))


def _weights(inverse: npt.NDArray[np.float32], first: int, last: int, top_k: int) -> Block:
    """The largest weights for each of consecutive items, given the inverse P for all items."""
    # Column j of B is row j of P, which is symmetric, over −P_jj.
    rows = inverse[first:last] / -inverse.diagonal()[first:last, None]
    rows[np.arange(last - first), np.arange(first, last)] = 0
    kept = _largest(rows, top_k)
    values = np.take_along_axis(rows, kept, axis=1)
    return np.full(len(kept), kept.shape[1]), kept.astype(np.int32).ravel(), values.ravel()


def _columns(
    shared: tuple[Any, ...], first: int, last: int, strength: float, top_k: int, size: tuple[int, type]
) -> Block:
    """The largest weights for each of consecutive items, by the inverse for its candidates."""
    offsets, candidates, users, roots = shared
    room: npt.NDArray[Any] = np.zeros((2, size[0]), size[1])
    codes, values = [], []
    for item in range(first, last):
        among = candidates[offsets[item] : offsets[item + 1]]
        found = _column(item, among, strength, users, roots, room)
        kept = _largest(found[None], top_k)[0]
        codes.append(among[kept])
        values.append(found[kept].astype(np.float32))
    lengths = np.array([len(each) for each in codes], np.int64)
    return lengths, np.concatenate(codes), np.concatenate(values)


def _column(
    item: int,
    among: npt.NDArray[np.int32],
    strength: float,
    users: tuple[npt.NDArray[Any], ...],
    roots: npt.NDArray[np.float32] | None,
    room: npt.NDArray[np.signedinteger],
) -> npt.NDArray[np.float64]:
    """float64[m]: the weights of the m items `among` for `item`, by the normal equations of them alone.

    `strength` is λ; `users`, `roots` and `room` are as of `ease_kernels.some_items`.
    """
    from scipy.linalg.lapack import dposv

    from retrieval_leaderboard.baselines import ease_kernels

    if not len(among):
        return np.empty(0)
    gram = np.empty((len(among) + 1, len(among) + 1))  # The item comes last.
    ease_kernels.some_items(np.append(among, np.int32(item)), users, roots, room, gram)
    system, shared = gram[:-1, :-1], gram[-1, :-1]
    np.fill_diagonal(system, system.diagonal() + strength)
    return np.asarray(dposv(system.T, shared)[1])  # The lower triangle of rows is an upper one of columns.


def _counts(train: Interactions, users: npt.NDArray[np.bool_] | None) -> csr_array:
    """float64[n_items, n_items]: XᵀX of all users, or of `users`, bool[n_users]."""
    return pair_sums.shared(train, np.ones(train.n_users), users)


def _gram(train: Interactions) -> npt.NDArray[np.float32]:
    """float32[n_items, n_items]: XᵀX."""
    matrix = np.empty((train.n_items, train.n_items), np.float32)
    shared = arrays(users_of_items(train)), arrays(train.by_user), *roots_of(train)
    blocks = engines.current().map(_gram_rows, shared, train.n_items, BLOCK_ITEMS, "ease: counting", "items")
    for number, rows in enumerate(blocks):
        matrix[BLOCK_ITEMS * number : BLOCK_ITEMS * number + len(rows)] = rows
    return matrix


def _gram_rows(shared: tuple[Any, ...], first: int, last: int) -> npt.NDArray[np.float64]:
    from retrieval_leaderboard.baselines import ease_kernels

    # A float32 ends counting at 2^24 users.
    rows = np.zeros((last - first, len(shared[0][1])), np.float64)
    ease_kernels.all_items(*(first, last, *shared, rows))
    return rows


def _most_similar(train: Interactions, top_k: int, need: Callable[[Pairs], int]) -> csr_array:
    """Row i holds the `top_k` items of largest cosine to item i; `need` as of `say_duration`."""
    say_duration(train, top_k, "ease: candidates", need, weighted=True)
    lengths = np.sqrt(np.where(train.item_counts > 0, train.item_weights, 1))
    ones = np.ones(train.n_users)
    return nearest(train, ones, (lengths, lengths), 0.0, top_k, "ease: candidates", weighted=True)


def _largest(rows: Floats, top_k: int) -> npt.NDArray[np.int64]:
    """int64[n, at most top_k]: the columns of the largest in size of each row, ascending."""
    if top_k >= rows.shape[1]:
        return np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
    kept = np.argpartition(-np.abs(rows), top_k - 1, axis=1)[:, :top_k]
    kept.sort(axis=1)
    return kept
