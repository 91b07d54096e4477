"""Matrix factorization of implicit feedback by alternating least squares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines import als_spark, fold_in
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.registry import register
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.evaluation.ranking.item_neighbors import users_of_items
from retrieval_leaderboard.support import compute, progress, spark
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from retrieval_leaderboard.evaluation.models.earlier import Earlier

LOCAL, SPARK = "local", "spark"
CONFIDENCE = 4 + 8
"""Bytes of an interaction: its confidence, by user, and with the code of the user, by item"""
MOST_INTERACTIONS = 2**31
TOLD = ("factors", "regularization", "alpha", "iterations")
"""The settings that solvers are told"""
Vectors = npt.NDArray[np.float32]


@register("als")
@dataclass
class ALS(EmbeddingRetriever):
    """Weighted matrix factorization, as in the implicit library.

    Minimizes Σ_ui c_ui (p_ui − x_u·y_i)² + λ (Σ_u ‖x_u‖² + Σ_i ‖y_i‖²), p = 1 and c = α·w_ui / w̄ where
    u took i, w the weight of the interaction and w̄ the mean weight (c = α without weights), p = 0 and c = 1
    elsewhere: Hu, Koren & Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008, with
    the conjugate gradient steps of Takács, Pilászy & Tikk, RecSys 2011. The x of a query is the exact
    solution for its history, given the items' y: the same for a known user as for an unseen one, and so not
    quite the x that those steps came to for that row. A query of whose history nothing is known has the mean
    vector of the training users. Histories have no weights: all their items have c = α.
    """

    factors: int | Auto = setting(AUTO, at_least=1, search=[AUTO, 32, 64, 128, 256])
    """Dimensions of a vector; auto takes 256 where seen items are excluded, else the power of two nearest to
    the root of the number of items, yet 32 to 128."""
    regularization: float | Auto = setting(
        AUTO, above=0, search=[AUTO, 0.001, 0.01, 0.1, 1.0, 3.0, 10.0, 30.0, 60.0, 100.0, 200.0]
    )
    """λ: the weight of the vectors' squared lengths. Auto takes 100 where seen items are excluded, else
    10."""
    alpha: float | Auto = setting(AUTO, above=0, search=[AUTO, 1.0, 3.0, 10.0, 30.0, 60.0, 100.0])
    """α: confidence in a taken item; 1 is the confidence in one not taken. Auto takes 60 where seen items are
    excluded, else 30."""
    iterations: int = setting(15, at_least=1, search=[5, 10, 15, 30])
    """Times that all users and then all items are solved."""
    solver: Literal["local", "spark"] = setting(LOCAL)
    """Where they are solved: here by implicit, or on Spark by MLlib, for which λ grows with the interactions
    of the user or item that is solved."""

    passes: ClassVar[str] = "iterations"
    uses_weights: ClassVar[bool] = True
    saves_memory: ClassVar[str] = (
        "lower factors by --set als.factors=32, or give --set als.solver=spark for a cluster"
    )
    rules: ClassVar[dict[str, Rule]] = {
        "factors": lambda _, train, valid: factors_for(train.n_items) if _keeps_seen(valid) else 256,
        "regularization": lambda _, __, valid: 10.0 if _keeps_seen(valid) else 100.0,
        "alpha": lambda _, __, valid: 30.0 if _keeps_seen(valid) else 60.0,
    }

    def fit_bytes(self, train: Interactions, valid: Queries | None) -> int:
        """Confidences both ways, and a vector for each user and item, twice while implicit draws them."""
        if self.solver != LOCAL:
            return 0
        drawn = max(2 * train.n_users, train.n_users + 2 * train.n_items)
        return CONFIDENCE * len(train) + 4 * int(self.resolve(train, valid)["factors"]) * drawn

    @classmethod
    def canonical(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """`settings` without the solver where it is the one here: runs of earlier versions had no other."""
        return {key: value for key, value in settings.items() if (key, value) != ("solver", LOCAL)}

    def lacking(self) -> str:
        """Why there can be no session of Spark here, where its solver is asked for."""
        return spark.available() if self.solver == SPARK else ""

    def fit(self, train: Interactions, valid: Queries | None, seed: int) -> None:
        """Factorize the matrix of users and items, on CUDA where implicit can, or on Spark.

        Raises:
            InputError: as `check_size`, or as `als_spark.factorized` with that solver.
        """
        settings = self.resolve(train, valid)
        told = {name: settings[name] for name in TOLD}
        solve = _solved_here if self.solver == LOCAL else als_spark.factorized
        self._keep(*solve(train, **told, seed=seed), settings)

    def warm_start(self, earlier: Earlier[ALS], train: Interactions, seed: int) -> None:
        """Solve all users from the items' vectors of then, new items from these users, then all as `fit`.

        What `iterations` counts is only the last part. `seed` has no effect.
        """
        told = {name: getattr(self, name) for name in TOLD}
        items = np.zeros((train.n_items, told["factors"]), np.float32)
        known = earlier.item >= 0
        items[known] = earlier.model.item_factors_[earlier.item[known]]
        users = self._half(train.by_user, items)
        new = np.flatnonzero(~known)
        items[new] = self._half(users_of_items(train).take(new), users)
        self._keep(*_solved_here(train, **told, seed=seed, start=(users, items)), told)

    def lacking_warm_start(self) -> str:
        """MLlib begins with random vectors."""
        return "als has a warm start with solver=local alone" if self.solver == SPARK else ""

    def _half(self, rows: Ragged, others: Vectors) -> Vectors:
        """float32[n, factors]: one side's vectors, from `rows` of codes of the other side and its vectors."""
        alpha, regularization = float(self.alpha), float(self.regularization)
        return fold_in.solved(rows, others, fold_in.inverse(others, regularization), alpha)

    def _keep(self, items: Vectors, mean_user: Vectors, settings: dict[str, Any]) -> None:
        self.item_factors_, self.mean_user_ = items, mean_user
        self.objective_ = {key: float(settings[key]) for key in ("alpha", "regularization")}
        vars(self).pop("_inverse", None)  # That of an earlier fit.

    def encode_items(self) -> Vectors:
        """float32[n_items, factors]."""
        return self.item_factors_

    def encode_queries(self, queries: Queries) -> Vectors:
        """float32[q, factors]: of each history, whoever's it is."""
        return self.encode_known(queries)[0]

    def knows(self, queries: Queries) -> npt.NDArray[np.bool_]:
        """bool[q]: whether anyone took an item of the history."""
        return self.encode_known(queries)[1]

    def encode_known(self, queries: Queries) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """Both of one solution."""
        vectors = fold_in.solved(queries.history, self.item_factors_, self._inverse, self.objective_["alpha"])
        known = np.asarray(vectors.any(axis=1))
        vectors[~known] = self.mean_user_
        return vectors, known

    @cached_property
    def _inverse(self) -> npt.NDArray[np.float64]:
        return fold_in.inverse(self.item_factors_, self.objective_["regularization"])

    @property
    def parameters(self) -> int:
        """Numbers in the vectors of items, from which those of queries follow."""
        return self.item_factors_.size


def _keeps_seen(valid: Queries | None) -> bool:
    """Whether what a user had may be asked for again, which popular items and few dimensions tell best."""
    return valid is not None and not valid.excludes_seen


def check_size(interactions: int) -> None:
    """Refuse more interactions than implicit can count.

    Raises:
        InputError: there are so many.
    """
    if interactions >= MOST_INTERACTIONS:
        raise InputError(
            f"als: {interactions:,} interactions, implicit counts them in 32 bits: "
            "give --set als.solver=spark, or choose a smaller log"
        )


def factors_for(n_items: int) -> int:
    """The dimensions for a catalog of so many items: more overfit a small one."""
    return 2 ** min(max(round(math.log2(n_items) / 2), 5), 7)


def _solved_here(
    train: Interactions,
    factors: int,
    regularization: float,
    alpha: float,
    iterations: int,
    seed: int,
    start: tuple[Vectors, Vectors] | None = None,
) -> tuple[Vectors, Vectors]:
    """The vectors of the items, float32[n_items, factors], and the mean vector of the users.

    They are found from `start`, the vectors of users and items; drawn by `seed` where it is None.
    """
    import implicit
    from threadpoolctl import threadpool_limits

    check_size(len(train))
    on_gpu = compute.current().device == "cuda" and implicit.gpu.HAS_CUDA
    # implicit solves rows on threads of its own: a threaded BLAS below them only gets in the way.
    with (
        threadpool_limits(1, user_api="blas"),
        progress.bar("als", iterations, "iterations") as advance,
    ):
        model = implicit.als.AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            iterations=iterations,
            num_threads=compute.current().threads,
            random_state=seed,
            use_gpu=on_gpu,
        )
        if start is not None:
            model.user_factors, model.item_factors = (
                implicit.gpu.Matrix(each) if on_gpu else each for each in start
            )
        model.fit(_confidences(train, alpha), show_progress=False, callback=lambda *_: advance())
    fitted = model.to_cpu() if on_gpu else model
    # Users without interactions have vectors of zeros.
    total = fitted.user_factors.sum(axis=0, dtype=np.float64)
    return fitted.item_factors, fold_in.mean_user(total, train)


def _confidences(train: Interactions, alpha: float) -> csr_matrix:
    """float32[n_users, n_items]: α·w / w̄, as in `ALS`, where a user took an item.

    implicit 0.7.3 has an `alpha` of its own, which its GPU version does not apply in `fit`.
    """
    from scipy.sparse import csr_matrix

    values, offsets = train.by_user.compact()
    data = np.full(len(values), alpha / train.mean_weight, np.float32)
    if train.weight is not None:
        data *= train.weight
    return csr_matrix((data, values, offsets), shape=(train.n_users, train.n_items))
