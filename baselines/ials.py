"""Matrix factorization of implicit feedback, with the regularization of Rendle et al."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from retrieval_leaderboard.baselines import fold_in
from retrieval_leaderboard.baselines.als import factors_for
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.engines.local import in_threads
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking import neighbor_memory
from retrieval_leaderboard.evaluation.ranking.item_neighbors import roots_of, users_of_items
from retrieval_leaderboard.support import compute, progress

if TYPE_CHECKING:
    from retrieval_leaderboard.evaluation.models.earlier import Earlier

Floats = npt.NDArray[np.float32]
FLOAT, WIDE = 4, 8
"""Bytes"""
INIT_SCALE = 0.1
ROWS_A_BLOCK = 256


@register("ials", by_default=False)
@dataclass
class IALS(EmbeddingRetriever):
    """Implicit alternating least squares, whose regularization follows the frequency of users and items.

    Minimizes Σ_{(u,i) ∈ S} w_ui (1 − x_u·y_i)² + α₀ Σ_{u,i} (x_u·y_i)² + λ R with
    R = Σ_u (|I_u| + α₀ |I|)^ν ‖x_u‖² + Σ_i (|U_i| + α₀ |U|)^ν ‖y_i‖²: equations 3 and 4 of Rendle et al.,
    Revisiting the performance of iALS on item recommendation benchmarks, RecSys 2022; w are the weights of
    interactions over their mean, |I_u| = Σ_i w_ui and |U_i| = Σ_u w_ui, each w 1 without weights. The vectors
    begin normally distributed, with a deviation of 0.1 / √d as there. The x of a query is the solution for
    its history, given the y; histories have no weights. A query of whose history nothing is known has the
    mean vector of the training users.
    """

    factors: int | Auto = setting(AUTO, at_least=1, search=[AUTO, 64, 128, 256])
    """Dimensions of a vector; auto takes the power of two nearest to the root of the number of items, yet 32
    to 128."""
    regularization: float = setting(0.01, above=0, search=(0.0003, 0.1, "log"))
    """λ"""
    unobserved_weight: float = setting(0.01, above=0, search=(0.001, 1.0, "log"))
    """α₀: weight of the pairs that are not there."""
    frequency_exponent: float = setting(1.0, at_least=0, at_most=1, search=[0.0, 0.5, 1.0])
    """ν: 1 regularizes users and items in proportion to their interactions, 0 all alike."""
    iterations: int = setting(16, at_least=1, search=[8, 16, 32])
    """Times that all users and then all items are solved."""

    passes: ClassVar[str] = "iterations"
    uses_weights: ClassVar[bool] = True
    rules: ClassVar[dict[str, Rule]] = {"factors": lambda _, train, __: factors_for(train.n_items)}

    def fit_bytes(self, train: Interactions, valid: Queries | None) -> int:
        """The vectors of both sides, and of the larger one also in 64 bits, twice, and turned; or what is
        solved at once beside the vectors there were and will be.
        """
        factors = int(self.resolve(train, valid)["factors"])
        sides = factors * (train.n_users + train.n_items)
        turning = FLOAT * sides + (2 * WIDE + FLOAT) * factors * max(train.n_users, train.n_items)
        room = max(solving_bytes(each, factors) for each in (train.user_counts, train.item_counts))
        solving = 2 * FLOAT * sides + compute.current().threads * room
        return max(neighbor_memory.by_item(train), neighbor_memory.held(train) + max(turning, solving))

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Solve users and items in turn, from normally distributed items."""
        factors = self.resolve(train, valid)["factors"]
        rng = np.random.default_rng(seed)
        items = rng.normal(0, INIT_SCALE / factors**0.5, (train.n_items, factors)).astype(np.float32)
        self._alternate(items, train)

    def warm_start(self, earlier: Earlier[IALS], train: Interactions, seed: int) -> None:
        """As `fit`, from the items of then, and zeros for new ones; `seed` has no effect.

        Users are solved first, and to them an item of zeros is one that nobody took.
        """
        then, known = earlier.model.item_factors_, earlier.item >= 0
        items = np.zeros((train.n_items, then.shape[1]), np.float32)
        items[known] = then[earlier.item[known]]
        self._alternate(items, train)

    def _alternate(self, items: Floats, train: Interactions) -> None:
        """Solve all users from `items`, float32[n_items, factors], then all items from them, and so on."""
        of_users, of_items = train.by_user, users_of_items(train)
        user_roots, item_roots = roots_of(train)
        # The objective times the mean weight, so that weights are as they come.
        mean = train.mean_weight
        weight = mean * self.unobserved_weight
        user_strength = mean * self._strength(train.user_weights / mean, train.n_items)
        item_strength = mean * self._strength(train.item_weights / mean, train.n_users)
        self.__dict__.pop("_system", None)  # That of an earlier fit.
        with progress.bar("ials", self.iterations, "iterations") as advance:
            for _ in range(self.iterations):
                users = System.of(items, weight).solved(of_users, user_strength, item_roots)
                items = System.of(users, weight).solved(of_items, item_strength, user_roots)
                advance()
        self.item_factors_ = items
        # Users without interactions have vectors of zeros.
        self.mean_user_ = fold_in.mean_user(users.sum(axis=0, dtype=np.float64), train)

    def _strength(self, frequency: npt.NDArray[Any], n: int) -> npt.NDArray[np.float64]:
        """float64[q]: the weight of the squared length of q vectors, with n on the other side."""
        return self.regularization * (frequency + self.unobserved_weight * n) ** self.frequency_exponent

    def encode_items(self) -> Floats:
        """float32[n_items, factors]; zeros for an item without training interactions."""
        return self.item_factors_

    def encode_queries(self, queries: Queries) -> Floats:
        """float32[q, factors]: of each history, whoever's it is."""
        return self.encode_known(queries)[0]

    def knows(self, queries: Queries) -> npt.NDArray[np.bool_]:
        """bool[q]: whether anyone took an item of the history."""
        return self.encode_known(queries)[1]

    def encode_known(self, queries: Queries) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Both of one solution."""
        histories = queries.history.distinct()
        vectors = self._system.solved(histories, self._strength(histories.lengths, self._system.n))
        known = np.asarray(vectors.any(axis=1))
        vectors[~known] = self.mean_user_
        return vectors, known

    @cached_property
    def _system(self) -> System:
        return System.of(self.item_factors_, self.unobserved_weight)

    @property
    def parameters(self) -> int:
        """Numbers in the vectors of items, from which those of queries follow."""
        return self.item_factors_.size


def solving_bytes(lengths: npt.NDArray[np.int64], d: int) -> int:
    """Bytes at the peak of a block of `System.solved`, for rows of these lengths."""
    m, rows = np.unique(lengths, return_counts=True)
    block = np.minimum(rows, ROWS_A_BLOCK)
    vectors, places, equations = 3 * FLOAT * m * d, 2 * WIDE * m, 3 * FLOAT * np.minimum(m, d) ** 2
    return int((block * (vectors + places + equations)).max(initial=0))


@dataclass(frozen=True)
class System:
    """The least squares problems of one side, given the vectors Y of the other, in the eigenbasis of YᵀY.

    Notation: d dimensions, n vectors, m of them in one problem.
    """

    basis: npt.NDArray[np.float32]
    """float32[d, d]: an eigenvector of YᵀY a column"""
    vectors: Floats
    """float32[n, d]: Y in that basis"""
    weight: npt.NDArray[np.float64]
    """float64[d]: α₀ times the eigenvalues"""

    @classmethod
    def of(cls, vectors: Floats, unobserved_weight: float) -> System:
        """The problems with `vectors`, float32[n, d], on the other side."""
        wide = vectors.astype(np.float64)
        with threadpool_limits(1, user_api="blas"):  # The same bits on any number of threads.
            values, basis = np.linalg.eigh(wide.T @ wide)
            rotated = (wide @ basis).astype(np.float32)
        return cls(basis.astype(np.float32), rotated, unobserved_weight * np.maximum(values, 0))

    @property
    def n(self) -> int:
        """Vectors on the other side."""
        return len(self.vectors)

    def solved(self, rows: Ragged, strength: npt.NDArray[np.float64], roots: Floats | None = None) -> Floats:
        """For each row the x with (Σ_{i ∈ row} w_i y_i y_iᵀ + α₀ YᵀY + strength·I) x = Σ_{i ∈ row} w_i y_i.

        Args:
            rows: q rows of codes of vectors, each code once.
            strength: float64[q], above 0.
            roots: float32, √w beside the values of `rows`; None where all are 1.

        Returns:
            float32[q, d]; zeros for an empty row.
        """
        found = np.zeros((len(rows), self.vectors.shape[1]), np.float32)
        lengths = rows.lengths
        order = np.argsort(lengths, kind="stable")[np.count_nonzero(lengths == 0) :]

        def work(start: int, stop: int) -> None:
            block = order[start:stop]
            for length in np.unique(lengths[block]):  # Rows of one length make one array.
                same = block[lengths[block] == length]
                places = rows.start[same, None] + np.arange(length)  # (b, m)
                wanted = (
                    np.ones((*places.shape, 1), np.float32) if roots is None else roots[places][..., None]
                )
                each = self.vectors[rows.values[places]] * wanted  # (b, m, d)
                inverse = (1 / (self.weight + strength[same, None])).astype(np.float32)  # (b, d)
                found[same] = _solved(each, wanted, inverse) @ self.basis.T

        with threadpool_limits(1, user_api="blas"):  # The blocks have threads of their own.
            for _ in in_threads(work, len(order), ROWS_A_BLOCK):
                pass
        return found


def _solved(y: Floats, wanted: Floats, inverse: Floats) -> Floats:
    """float32[b, d]: (YᵀY + D)⁻¹ Yᵀt of y, float32[b, m, d], t, float32[b, m, 1], and the diagonals of D⁻¹.

    By the push-through identity it is D⁻¹Yᵀ (I + Y D⁻¹ Yᵀ)⁻¹ t: m equations, or d where that is fewer.
    """
    _, m, d = y.shape
    scaled = (y * inverse[:, None]).transpose(0, 2, 1)  # (b, d, m)
    if m < d:
        return (scaled @ np.linalg.solve(np.eye(m, dtype=np.float32) + y @ scaled, wanted))[..., 0]
    return np.linalg.solve(np.eye(d, dtype=np.float32) + scaled @ y, scaled @ wanted)[..., 0]
