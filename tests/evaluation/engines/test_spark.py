"""Spark's workers run the same kernels: the same bits, and one sentence where they fail."""

import tempfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines import spark as spark_engine
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.evaluation.engines.spark import SparkEngine, cause
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.ranking import topk
from retrieval_leaderboard.evaluation.runs import runner
from retrieval_leaderboard.support import spark as spark_session
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.scratch import LOCK, PREFIX
from tests.baselines.logs import interactions, queries, with_weights
from tests.conftest import SMALL_JOBS
from tests.evaluation.engines.sample_kernels import dies, fails, sums


@pytest.fixture
def engine(spark, monkeypatch):
    monkeypatch.setattr(spark_engine, "TASKS_A_CORE", 1)  # A task costs a tenth of a second.
    found = SparkEngine()
    engines.use(found)
    yield found
    engines.use(LocalEngine())
    found.close()


def both(work):
    """What `work` gives by Spark, the engine in use, and by threads."""
    there = work()
    engines.use(LocalEngine())
    return there, work()


def same(there, here):
    for one, other in zip(there, here, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def fitted(model, train):
    model.fit(train, None, seed=0)
    found = model.similarity_
    return found.data, found.indices, found.indptr


def test_results_come_in_the_order_of_the_blocks(engine):
    assert engine.name == "spark on local[2]"
    found = engine.map(partial(sums, factor=2), {"numbers": np.arange(100)}, 100, 3, "adding", "numbers")
    assert list(found) == [2 * sum(range(start, min(start + 3, 100))) for start in range(0, 100, 3)]


def test_what_a_killed_engine_left_is_removed_by_the_next(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(spark_session, "session", lambda master: None)
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / LOCK).touch()
    engine = SparkEngine()
    assert not left.exists() and len(list(tmp_path.iterdir())) == 1
    engine.close()
    assert list(tmp_path.iterdir()) == []


def test_a_kernel_that_raises_is_one_sentence(engine):
    with pytest.raises(InputError, match=r"^adding: Spark gave up: ValueError: row \d is$"):
        list(engine.map(fails, {}, 10, 3, "adding", "numbers"))


def test_a_worker_that_dies_is_one_sentence(engine):
    with pytest.raises(InputError, match=r"^adding: Spark gave up: Python worker exited unexpectedly"):
        list(engine.map(dies, {}, 10, 3, "adding", "numbers"))


@pytest.mark.parametrize("model", [ItemCF(), Swing()])
def test_similarities_have_the_same_bits(engine, model):
    train = with_weights(interactions(np.random.default_rng(0), 200, 600, 0.05))
    same(*both(lambda: fitted(model, train)))


@pytest.mark.parametrize("model", [ItemCF(), Swing(max_users_per_item=50)])
def test_similarities_of_ml_100k_have_the_same_bits(engine, model, data_dir):
    data = load("ml-100k", data_dir)
    same(*both(lambda: (*fitted(model, data.train_valid), *model.recommend(data.test, 20))))


def test_lists_and_metrics_have_the_same_bits(engine, monkeypatch):
    rng = np.random.default_rng(0)
    asked, items = (rng.standard_normal((n, 16), dtype=np.float32) for n in (500, 900))
    relevant = Ragged.from_rows([rng.permutation(900)[: rng.integers(0, 40)] for _ in range(500)])
    monkeypatch.setattr(measure, "BLOCK", 128)

    def work():
        lists = topk.inner_product(asked, items, Ragged.empty(500), 20)
        return *lists, *measure.per_query(lists[0], relevant, 20).values()

    same(*both(work))


def test_lists_of_histories_have_the_same_bits(engine):
    train = interactions(np.random.default_rng(1), 600, 300, 0.05)
    model = ItemCF()
    model.fit(train, None, seed=0)
    same(*both(lambda: model.recommend(queries(train), 20)))


@pytest.fixture
def lent(spark, monkeypatch):
    """The Java of all tests, for a process that starts a session there, as where spark-submit started it."""
    java = spark.sparkContext._gateway.gateway_parameters
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", str(java.port))
    monkeypatch.setenv("PYSPARK_GATEWAY_SECRET", java.auth_token)
    spark_session.stop()
    yield
    spark_session.session("local[2]", SMALL_JOBS)


@pytest.mark.slow
def test_a_run_is_the_same_and_its_record_names_the_engine(lent, tmp_path):
    data, policy = planted(), runner.CheckpointPolicy()
    values = settings.resolve(ItemCF, {}, "here")
    job = runner.Job(runner.ModelSource("item_cf"), values, 0, 5, "cpu", "fp32")
    here = runner.run(job, data, tmp_path / "here", "run", True, policy)
    job = replace(job, engine=engines.Choice("spark", "local[1]"))
    there = runner.run(job, data, tmp_path / "there", "run", True, policy)
    assert there.stem == here.stem
    assert there.measured.metrics == here.measured.metrics
    assert (here.costs.engine, there.costs.engine) == ("local", "spark on local[1]")
    assert there.costs.machine == f"{here.costs.machine}, spark on local[1]"


KILLED = "ExecutorLostFailure (executor 2 exited caused by one of the running tasks) Reason: exit code 137"
LOST = (
    "An error occurred.\nCaused by: org.apache.spark.SparkException: Job aborted due to stage failure: "
    "Task 1 in stage 3.0 failed 4 times, most recent failure: Lost task 1.3 in stage 3.0 (TID 12) "
    f"(10.0.0.7 executor 2): {KILLED}\nDriver stacktrace:\n\tat org.apache"
)
CHAINED = (
    "Traceback (most recent call last):\n  File 'a'\nKeyError: 3\n\nDuring handling:\n\n"
    "Traceback (most recent call last):\n  File 'b'\n    x\nRuntimeError: not so\n\n\tat org.apache"
)


@pytest.mark.parametrize(("said", "reason"), [
    (LOST, KILLED),
    (CHAINED, "RuntimeError: not so"),
    ("\nAnswer from Java side is empty\n", "Answer from Java side is empty"),
    ("", "it did not say why"),
])  # fmt: skip
def test_the_cause_is_found_in_what_spark_says(said, reason):
    assert cause(said) == reason
