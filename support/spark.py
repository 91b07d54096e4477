"""The Spark session of this process: started once, on this machine or on a running cluster."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.spark_executors import ExecutorWatch
from retrieval_leaderboard.support.system import memory

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = 17
"""The oldest version of Java that Spark 4 runs on"""
LOOPBACK = "127.0.0.1"
HEAP_SHARE = 0.4
"""Of the free memory that the JVM of a session on this machine may take; Python's workers come beside it"""
LARGEST_HEAP = 31
"""GiB; beyond it Java's pointers take twice the room"""
PARTITIONS_A_THREAD = 2
QUIET = Path(__file__).with_name("spark_log4j2.properties").resolve()
FOR_WORKERS = ("NUMBA_CACHE_DIR", "MKL_CBWR")
"""Variables of this process that its workers must have too, for equal products and compiled kernels"""

_master: str | None = None
_session: SparkSession | None = None
_watch: ExecutorWatch | None = None


def configure(master: str | None) -> None:
    """Say where the sessions of this process run from now on, unless another place is asked for."""
    global _master
    _master = master


def available() -> str:
    """Why there can be no session here, as one sentence; "" where there can be one."""
    if find_spec("pyspark") is None:
        return "Spark needs pyspark, which is not installed: pip install 'pyspark>=4.1,<5'"
    java = _java()
    found = _java_version(java) if java else None
    if found is None:
        return f"Spark needs Java, and there is none: install Java {JAVA} or 21, or set JAVA_HOME to it"
    if found < JAVA:
        return f"Spark needs Java {JAVA} or 21, and {java} is Java {found}: set JAVA_HOME to a newer one"
    return ""


def session(master: str | None = None, settings: Mapping[str, str] | None = None) -> SparkSession:
    """The one session of this process, started where there is none yet.

    Args:
        master: such as "local[4]" or "spark://host:7077"; by default what `configure` or spark-submit say,
            else as many threads of this machine as `compute.current` has.
        settings: Spark's own, which go before those of here; only for a session that is started.

    Raises:
        InputError: pyspark or Java is missing or too old, another master is in use, or none answers.
    """
    if problem := available():
        raise InputError(problem)
    global _session, _watch
    master = master or _master
    if (found := _running()) is not None:
        if master not in (None, found.sparkContext.master):
            raise InputError(
                f"--master {master}: this process has a session on {found.sparkContext.master}; use that"
            )
        return found
    master = master or (None if _submitted() else f"local[{compute.current().threads}]")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # Else workers take the first python3 of PATH.
    if is_here(master):
        os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
    _session = _started(master, _settings(master) | dict(settings or {}))
    if not str(_session.sparkContext.master).startswith("local"):
        _watch = ExecutorWatch(_session.sparkContext)
    return _session


def _started(master: str | None, settings: Mapping[str, str]) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # Tables go between Python and Spark as Arrow, never as pandas.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    builder = SparkSession.builder.appName("retrieval-leaderboard")
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (Py4JError, PySparkException, OSError) as error:
        reason = next((line for line in str(error).splitlines() if "Exception" in line), str(error))
        raise InputError(
            f"--master {master}: no Spark session starts there: {reason.lstrip(': ')}"
        ) from error


@contextmanager
def using(master: str | None = None) -> Iterator[SparkSession]:
    """Within, the session of this process; one that was started for it ends with it.

    An idle session keeps a cluster's cores, for which the next process would wait.

    Raises:
        InputError: as `session`, or a cluster gave no executor, whatever Spark made of that.
    """
    before = _running()
    found = session(master)
    try:
        yield found
    except Exception as error:
        if reason := starved():
            raise InputError(reason) from error
        raise
    finally:
        if before is None:
            stop()


def starved() -> str:
    """Why jobs were canceled since the last call: the cluster gave no executor; "" where none was."""
    return _watch.reason() if _watch is not None else ""


def stop() -> None:
    """End the session of this process, where it has one."""
    global _session, _watch
    if _watch is not None:
        _watch.stop()
        _watch = None
    if (found := _running()) is not None:
        found.stop()
    _session = None


def _running() -> SparkSession | None:
    """The session of this process, whoever started it."""
    if _session is not None or "pyspark.sql" not in sys.modules:
        return _session
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


def _settings(master: str | None) -> dict[str, str]:
    found = {
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={QUIET.as_uri()}",
        "spark.driver.maxResultSize": "0",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.executorEnv.PYTHONPATH": str(ROOT),
        "spark.python.daemon.module": "retrieval_leaderboard.support.spark_daemon",
        "spark.executorEnv.NUMBA_NUM_THREADS": "1",
    }
    for name in FOR_WORKERS:
        if name in os.environ:
            found[f"spark.executorEnv.{name}"] = os.environ[name]
    if master is not None:
        found["spark.master"] = master
    if is_here(master):
        found |= {"spark.driver.host": LOOPBACK, "spark.driver.bindAddress": LOOPBACK}
    if master is not None and master.startswith("local"):
        heap = min(max(1, int(memory.available() * HEAP_SHARE) >> 30), LARGEST_HEAP)
        found |= {
            "spark.ui.enabled": "false",
            "spark.driver.memory": f"{heap}g",
            "spark.sql.shuffle.partitions": str(PARTITIONS_A_THREAD * compute.current().threads),
        }
    return found


def is_here(master: str | None) -> bool:
    """Whether all of it runs on this machine, so that nothing else need reach the driver."""
    if master is None:
        return False
    return master.startswith("local") or urlparse(master).hostname in (LOOPBACK, "localhost")


def _submitted() -> bool:
    """Whether spark-submit started this process: then it has said where to run."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else shutil.which("java")


def _java_version(java: str) -> int | None:
    """The version of a program java, such as 17; None where it does not run."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(number[1]) if number else None
