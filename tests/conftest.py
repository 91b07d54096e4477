"""One thread a process: tests fill the cores by running side by side."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support import spark as spark_session
from retrieval_leaderboard.support.system import cores

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WORKERS = min(cores.available(), 8)
"""What pytest-xdist's `-n auto` means; each takes about 1 GB."""

SMALL_JOBS = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto "
    "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote",
    "spark.driver.memory": "1g",
    "spark.ui.enabled": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.shuffle.compress": "false",
    "spark.rdd.compress": "false",
}
"""Half the time of Spark's own settings, for jobs of a few thousand rows"""

# Before anything imports torch or numba, whose thread pools read the environment once.
compute.configure("cpu", "fp32", threads=1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return WORKERS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on Spark stand together at the front: one of xdist's processes gets them all, and starts Java.
    Slow ones come next, so that none of them is the last one at work.
    """
    items.sort(
        key=lambda item: (
            "java" not in getattr(item, "fixturenames", ()),
            item.get_closest_marker("slow") is None,
        )
    )


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """A command run with --quiet or other threads changes nothing for the tests after it."""
    before = compute.current()
    yield
    progress.configure(quiet=False)
    compute._current = before
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(before.threads)
    os.environ.update(compute.thread_variables(before.threads))


@pytest.fixture(scope="session")
def java() -> Iterator[None]:
    """Without Spark its tests skip, or fail where REQUIRE_SPARK is set; its Java ends after the last one."""
    if problem := spark_session.available():
        if os.environ.get("REQUIRE_SPARK"):
            pytest.fail(problem)
        pytest.skip(problem)
    yield
    spark_session.stop()


@pytest.fixture(scope="module")
def spark(java: None) -> SparkSession:
    """The one session of all tests, begun again where a module had one of its own."""
    return spark_session.session("local[2]", SMALL_JOBS)
