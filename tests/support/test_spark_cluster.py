"""On a standalone master with two workers all comes out as on the threads of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.evaluation.engines.spark import SparkEngine
from retrieval_leaderboard.support import spark as spark_session
from retrieval_leaderboard.support import spark_executors
from retrieval_leaderboard.support.errors import InputError
from tests.baselines.logs import interactions
from tests.conftest import SMALL_JOBS
from tests.datasets.prepared.test_derived import frame
from tests.evaluation.engines.sample_kernels import sums

pytestmark = pytest.mark.slow

SMALL_EXECUTORS = {
    "spark.executor.memory": "512m",
    "spark.executor.extraJavaOptions": SMALL_JOBS["spark.driver.extraJavaOptions"],
}


def standalone(jvm: Any, workers: int) -> Any:
    """A master and workers of a core each that run in the JVM of the driver; executors are processes."""
    settings = jvm.org.apache.spark.SparkConf()
    return jvm.org.apache.spark.deploy.LocalSparkCluster.apply(workers, 1, 1024, settings)


@pytest.fixture(scope="module")
def here(spark, tmp_path_factory) -> np.ndarray:
    """The vectors of als on local[2]."""
    return vectors(tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="module")
def cluster(here, spark) -> Iterator[str]:
    """The session on a cluster of two workers, and its master."""
    found = standalone(spark.sparkContext._jvm, 2)
    master = found.start()[0]
    spark_session.stop()
    yield spark_session.session(master, SMALL_JOBS | SMALL_EXECUTORS).sparkContext.master
    spark_session.stop()
    found.stop()


def vectors(folder: Path) -> np.ndarray:
    """Of items, by als on the session that runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETRIEVAL_CACHE", str(folder / "cache"))
        model = ALS(factors=4, regularization=0.5, alpha=6, iterations=1, solver="spark")
        model.fit(interactions(np.random.default_rng(0)), None, 0)
        return model.encode_items()


def test_als_is_the_same(here, cluster, tmp_path):
    assert cluster.startswith("spark://") and spark_session.is_here(cluster)
    np.testing.assert_allclose(vectors(tmp_path), here, rtol=1e-4, atol=1e-5)


def test_a_prepared_log_is_what_it_is_in_memory(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))
    frame().to_csv(tmp_path / "log.csv", index=False)
    found = load(tmp_path / "log.csv", protocol="time", engine="spark")
    assert found.fingerprint == load(tmp_path / "log.csv", protocol="time").fingerprint


@pytest.mark.parametrize("here_too", [True, False], ids=["shared file", "copied file"])
def test_blocks_are_dealt_out(cluster, monkeypatch, here_too):
    monkeypatch.setattr(spark_session, "is_here", lambda master: here_too)
    engine = SparkEngine()
    found = list(engine.map(partial(sums, factor=2), {"numbers": np.arange(20)}, 20, 3, "adding", "numbers"))
    engine.close()
    assert found == [2 * sum(range(start, min(start + 3, 20))) for start in range(0, 20, 3)]


@pytest.mark.parametrize("model", [ItemCF(), Swing()], ids=lambda model: model.name)
def test_histories_are_shuffled(cluster, tmp_path, monkeypatch, model):
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))
    train, engine = interactions(np.random.default_rng(0)), engines.GroupedEngine()
    there, here = [], []
    for found, by in ((there, engine), (here, LocalEngine())):
        monkeypatch.setattr(engines.choice, "_current", by)
        model.fit(train, None, 0)
        found += model.similarity_.data, model.similarity_.indices, model.similarity_.indptr
    engine.close()
    for one, other in zip(there, here, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_cluster_without_workers_ends_in_one_sentence(cluster, monkeypatch):
    monkeypatch.setattr(spark_executors, "STANDALONE_SECONDS", 2.0)
    empty = standalone(spark_session.session().sparkContext._jvm, 0)
    spark_session.stop()
    spark_session.session(empty.start()[0], SMALL_JOBS | SMALL_EXECUTORS)
    engine = SparkEngine()
    with pytest.raises(InputError, match=r"^adding: spark://.* gave this session no executor for 2 seconds"):
        list(engine.map(partial(sums, factor=2), {"numbers": np.arange(9)}, 9, 3, "adding", "numbers"))
    with pytest.raises(InputError, match=r"^spark://.* gave this session no executor for 2 seconds: see"):
        with spark_session.using() as session:
            session.range(3).count()
    engine.close()
    spark_session.stop()
    empty.stop()
