"""A job that no executor does ends in one sentence."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from retrieval_leaderboard.support import spark_executors
from retrieval_leaderboard.support.spark_executors import ExecutorWatch


class Cluster:
    """As much of a context as the watch looks at."""

    def __init__(self, master: str = "spark://host:7077", jobs: int = 1, executors: int = 0) -> None:
        self.master = master
        self.jobs, self.executors = jobs, executors
        self.canceled: list[float] = []
        status = SimpleNamespace(size=lambda: 1 + self.executors)
        self._jsc = SimpleNamespace(sc=lambda: SimpleNamespace(getExecutorMemoryStatus=lambda: status))

    def statusTracker(self) -> SimpleNamespace:
        return SimpleNamespace(getActiveJobsIds=lambda: list(range(self.jobs)))

    def cancelAllJobs(self) -> None:
        self.canceled.append(time.monotonic())
        self.jobs = 0


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(spark_executors, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(spark_executors, "STANDALONE_SECONDS", 0.1)


def wait_for_an_end(cluster: Cluster) -> None:
    last = time.monotonic() + 30
    while not cluster.canceled and time.monotonic() < last:
        time.sleep(0.01)


def test_jobs_without_an_executor_are_canceled_and_it_is_said_once():
    cluster = Cluster()
    watch = ExecutorWatch(cluster)
    wait_for_an_end(cluster)
    watch.stop()
    assert len(cluster.canceled) == 1
    assert watch.reason().startswith(
        "spark://host:7077 gave this session no executor for 0 seconds: see that"
    )
    assert watch.reason() == ""


@pytest.mark.parametrize(
    "cluster",
    [Cluster(executors=1), Cluster(jobs=0), Cluster(master="yarn")],
    ids=["works", "idle", "queued"],
)
def test_others_go_on(cluster):
    watch = ExecutorWatch(cluster)
    time.sleep(0.3)
    watch.stop()
    assert (watch.reason(), cluster.canceled) == ("", [])


def test_executors_that_are_lost_are_missed_from_then_on():
    cluster = Cluster(executors=2)
    watch = ExecutorWatch(cluster)
    time.sleep(0.3)
    lost = time.monotonic()
    cluster.executors = 0
    wait_for_an_end(cluster)
    watch.stop()
    assert cluster.canceled[0] - lost >= 0.08
