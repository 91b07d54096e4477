"""ALS on Spark MLlib, for matrices that no one machine holds; `als` ranks by the vectors of its items."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.baselines import fold_in
from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.support import progress, spark
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.mapped import blocks, loaded
from retrieval_leaderboard.support.storage.scratch import scratch_folder

if TYPE_CHECKING:
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import SparkSession

Floats = npt.NDArray[np.float32]
ROWS = 2**22
"""Interactions of a file, and of a block that a task solves, about"""
SCHEMA = "user int, item int, rating float"
AT_ONCE = 2**16
"""Vectors that are read at a time"""


def factorized(
    train: Interactions, factors: int, regularization: float, alpha: float, iterations: int, seed: int
) -> tuple[Floats, Floats]:
    """The vectors of the items and the mean vector of the users, by the session of `spark.session`.

    Spark's confidence is 1 + αr where ours is αw, with weights divided by their mean: an interaction has
    r = αw − 1 and Spark's own α is 1. Spark multiplies λ by the interactions of the row that is solved (Zhou
    et al., AAIM 2008), and ours stands as it is: `mean_count` divides it.

    Args:
        train: the interactions, n of them.
        factors: d, dimensions of a vector.
        regularization: λ, as in `ALS`.
        alpha: α, as in `ALS`.
        iterations: times that all users and all items are solved.
        seed: of the first vectors; others come with another number of Spark's partitions too.

    Returns:
        float32[n_items, d], zeros for an item without interactions; and float32[d].

    Raises:
        InputError: as `spark.session`, or αw is 1 or less, which Spark would take for a dislike.
    """
    alpha /= train.mean_weight
    least = alpha * (1.0 if train.weight is None else float(train.weight.min()))
    if least <= 1:
        raise InputError(
            "als.solver=spark: the confidence in an interaction, alpha times its weight over the mean "
            f"weight, must be more than 1, and {least:g} occurs; raise als.alpha, or leave als.solver out"
        )
    # Executors see the folder of the cache.
    with spark.using() as session, scratch_folder(cache_dir().resolve()) as folder:
        progress.say(f"als: {iterations} iterations on Spark, {session.sparkContext.master}")
        fitted = _fit(
            session, train, folder, alpha, regParam=regularization / mean_count(train), rank=factors,
            maxIter=iterations, seed=seed,
        )  # fmt: skip
        items = np.zeros((train.n_items, factors), np.float32)
        for codes, vectors in _vectors(fitted.itemFactors, folder / "items"):
            items[codes] = vectors
        total = np.zeros(factors)
        for _, vectors in _vectors(fitted.userFactors, folder / "users"):
            total += vectors.sum(axis=0, dtype=np.float64)
    return items, fold_in.mean_user(total, train)


def mean_count(train: Interactions) -> float:
    """The geometric mean of how many interactions a user has on average, and an item.

    Vectors of users may be longer and those of items shorter by the same factor: it is the product of both λ
    that counts.
    """
    users, items = ((counts > 0).sum() for counts in (train.user_counts, train.item_counts))
    return float(len(train) / np.sqrt(float(users) * float(items)))


def _fit(session: SparkSession, train: Interactions, folder: Path, alpha: float, **settings: Any) -> ALSModel:
    from pyspark.ml.recommendation import ALS

    _write(train, folder / "train", alpha)
    # Without it each iteration would remember how all before it came about.
    session.sparkContext.setCheckpointDir((folder / "checkpoints").as_uri())
    n_blocks = max(session.sparkContext.defaultParallelism, -(-len(train) // ROWS))
    model = ALS(
        implicitPrefs=True,
        alpha=1.0,
        userCol="user",
        itemCol="item",
        ratingCol="rating",
        numUserBlocks=n_blocks,
        numItemBlocks=n_blocks,
        **settings,
    )
    return model.fit(session.read.schema(SCHEMA).parquet((folder / "train").as_uri()))


def _write(train: Interactions, folder: Path, alpha: float) -> None:
    """Write the interactions, with Spark's rating of each, as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    for number, some in enumerate(blocks(len(train), ROWS)):
        rating = np.full(len(train.user[some]), alpha - 1, np.float32)
        if train.weight is not None:
            rating = (alpha * loaded(train.weight[some]) - 1).astype(np.float32)
        columns = {"user": loaded(train.user[some]), "item": loaded(train.item[some]), "rating": rating}
        pq.write_table(pa.table(columns), folder / f"{number:06}.parquet")


def _vectors(found: Any, folder: Path) -> Iterator[tuple[npt.NDArray[np.int32], Floats]]:
    """Codes int32[m] and vectors float32[m, d] of a table of Spark's, some at a time."""
    import pyarrow.parquet as pq

    found.write.parquet(folder.as_uri())
    for path in sorted(folder.glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(AT_ONCE):
            values = batch.column("features").flatten().to_numpy()
            yield batch.column("id").to_numpy(), values.reshape(len(batch), -1)
