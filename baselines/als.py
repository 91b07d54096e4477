"""Matrix factorisation of implicit feedback by alternating least squares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from datasets.dataset import Interactions, Queries
from datasets.ragged import Ragged
from evaluation.registry import register
from evaluation.retriever import EmbeddingRetriever
from support import compute, progress
from support.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FOLD_IN_QUERIES = 16_384


@register("als")
@dataclass
class ALS(EmbeddingRetriever):
    """Weighted matrix factorisation, as in the implicit library.

    Minimises Σ_ui c_ui (p_ui − x_u·y_i)² + λ (Σ_u ‖x_u‖² + Σ_i ‖y_i‖²), p = 1 and c = α where
    u took i, p = 0 and c = 1 elsewhere: Hu, Koren & Volinsky, Collaborative Filtering for
    Implicit Feedback Datasets, ICDM 2008, with the conjugate gradient steps of Takács, Pilászy &
    Tikk, RecSys 2011. A query whose history is not the user's training row gets the x that
    solves the same least squares for that history. A query without history gets no items: its
    vector is zero.
    """

    factors: int = 0
    """Dimensions of a vector; 0 takes the power of two nearest to the root of the number of items, yet 32 to
    128: more learn a small catalogue by heart."""
    regularization: float = 10.0
    """λ: how strongly vectors are kept short."""
    alpha: float = 30.0
    """α: confidence in a taken item; 1 is the confidence in one not taken.

    Where users have many items and seen ones are excluded, far less is better: ml-100k's validation part by
    each user's last item, NDCG@20: .0880, with α 1.2 and λ .002 .1037; seen items kept, by next item, α 36 is
    the best."""
    iterations: int = 15
    """Times that all users and then all items are solved."""

    search_space: ClassVar[dict[str, Any]] = {
        "factors": [0, 32, 64, 128, 256],
        "regularization": (0.001, 100.0, "log"),
        "alpha": (1.0, 100.0, "log"),
        "iterations": [5, 10, 15, 30],
    }

    def __post_init__(self) -> None:
        """Refuse settings without a meaning."""
        for key, least in (("factors", 0), ("iterations", 1)):
            if getattr(self, key) < least:
                raise InputError(f"als.{key} must be at least {least}, not {getattr(self, key)}")
        for key in ("regularization", "alpha"):
            if getattr(self, key) <= 0:
                raise InputError(f"als.{key} must be above 0, not {getattr(self, key)}")

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Factorise the matrix of users and items, on CUDA where implicit can."""
        import implicit
        from threadpoolctl import threadpool_limits

        on_gpu = compute.current().device == "cuda" and implicit.gpu.HAS_CUDA
        # implicit solves rows on threads of its own: a threaded BLAS below them only gets in the way.
        with (
            threadpool_limits(1, user_api="blas"),
            progress.bar("als", self.iterations, "iterations") as advance,
        ):
            model = implicit.als.AlternatingLeastSquares(
                factors=self.factors or fitting(train.n_items),
                regularization=self.regularization,
                iterations=self.iterations,
                num_threads=compute.current().threads,
                random_state=seed,
                use_gpu=on_gpu,
            )
            taken = self._confidences(train.by_user, train.n_items)
            model.fit(taken, show_progress=False, callback=lambda *_: advance())
        model = model.to_cpu() if on_gpu else model
        self.user_factors_, self.item_factors_ = model.user_factors, model.item_factors
        self.row_items_, self.row_offsets_ = train.by_user.compact()

    def encode_items(self) -> npt.NDArray[np.float32]:
        """float32[n_items, factors]."""
        return self.item_factors_

    def encode_queries(self, queries: Queries) -> npt.NDArray[np.float32]:
        """float32[q, factors]: the trained vector where the history is the training row, else solved."""
        rows = Ragged.from_offsets(self.row_items_, self.row_offsets_)
        known = _same_rows(queries.history, queries.user, rows)  # (queries,)
        vectors = np.empty((len(queries), self.item_factors_.shape[1]), np.float32)
        vectors[known] = self.user_factors_[queries.user[known]]
        vectors[~known] = self._fold_in(queries.history.take(np.flatnonzero(~known)))
        return vectors

    def _fold_in(self, histories: Ragged) -> npt.NDArray[np.float32]:
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        threads = compute.current().threads
        factors = self.item_factors_.shape[1]
        solver = AlternatingLeastSquares(factors, self.regularization, num_threads=threads)
        solver.item_factors = self.item_factors_
        vectors = np.empty((len(histories), factors), np.float32)
        with (
            threadpool_limits(1, user_api="blas"),
            progress.bar("als: folding in", len(histories), "queries") as advance,
        ):
            for start in range(0, len(histories), FOLD_IN_QUERIES):
                rows = slice(start, start + FOLD_IN_QUERIES)
                batch = histories.take(rows).distinct()  # implicit would add up an item that stands twice.
                matrix = self._confidences(batch, len(self.item_factors_))
                vectors[rows] = solver.recalculate_user(np.arange(len(batch)), matrix)
                advance(len(batch))
        return vectors

    def _confidences(self, rows: Ragged, n_items: int) -> csr_matrix:
        """float32[len(rows), n_items]: α where a row holds an item.

        implicit 0.7.3 has an `alpha` of its own that its GPU version applies to fold-in alone.
        """
        from scipy.sparse import csr_matrix

        values, offsets = rows.compact()
        data = np.full(len(values), self.alpha, np.float32)
        return csr_matrix((data, values, offsets), shape=(len(rows), n_items))

    @property
    def parameters(self) -> int:
        """Numbers in the vectors of users and items."""
        return self.user_factors_.size + self.item_factors_.size


def fitting(n_items: int) -> int:
    """The dimensions for a catalogue of so many items."""
    return 2 ** min(max(round(math.log2(n_items) / 2), 5), 7)


def _same_rows(histories: Ragged, users: npt.NDArray[np.int32], rows: Ragged) -> npt.NDArray[np.bool_]:
    """bool[q]: whether each history is, item by item, the row of its user; False for user -1."""
    same = users >= 0
    same[same] = histories.lengths[same] == rows.lengths[users[same]]
    compared = np.flatnonzero(same)
    ours, offsets = histories.take(compared).compact()
    theirs, _ = rows.take(users[compared].astype(np.int64)).compact()
    differences = np.concatenate([[0], np.cumsum(ours != theirs)])
    same[compared] = differences[offsets[1:]] == differences[offsets[:-1]]
    return same
