"""The engine of this process, and the one that is asked for."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from multiprocessing.util import Finalize
from urllib.parse import urlparse

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.evaluation.engines.engine import Engine
from retrieval_leaderboard.evaluation.engines.grouped import GroupedEngine
from retrieval_leaderboard.evaluation.engines.histories import task_bytes
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.evaluation.engines.spark import SparkEngine
from retrieval_leaderboard.support import compute, spark
from retrieval_leaderboard.support.errors import InputError

NAMES = ("local", "spark")
MASTER = re.compile(r"local(\[(\d+|\*)\])?|spark://[^/:]+:\d+(,[^/:]+:\d+)*|yarn|k8s://\S+")
ANSWER_SECONDS = 10
"""Within which a standalone master takes a connection; Spark itself would try for minutes"""

_current: Engine = LocalEngine()


@dataclass(frozen=True)
class Choice:
    """What is asked for, so that another process does it too."""

    name: str = "local"
    """One of NAMES"""
    master: str | None = None
    """Of Spark; None for as many threads of this machine as there are"""
    grouped: bool = False
    """Whether fits of items' neighbors on Spark shuffle histories in place of sharing the whole log"""

    def check(self) -> None:
        """InputError where it cannot be: no pyspark, no Java, no such master."""
        if self.master is not None and self.name != "spark":
            raise InputError(f"--master {self.master} is for --engine spark: add that, or leave it out")
        if self.grouped and self.name != "spark":
            raise InputError("--grouped is for --engine spark: add that, or leave it out")
        if self.name == "spark" and (problem := spark.available()):
            raise InputError(f"--engine spark: {problem}")
        if self.master is not None:
            _check_master(self.master)


THREADS = Choice()
_asked = THREADS


def _check_master(master: str) -> None:
    if not MASTER.fullmatch(master):
        raise InputError(
            f"--master {master} is no master of Spark: give local[N], spark://HOST:PORT, yarn or k8s://URL"
        )
    if master.startswith("spark://") and "," not in master:
        place = urlparse(master)
        try:
            socket.create_connection((place.hostname, place.port), ANSWER_SECONDS).close()
        except OSError as error:
            raise InputError(
                f"--master {master}: nothing answers there: {error.strerror or error}"
            ) from error


def bytes_of_tasks(activity: npt.NDArray[np.float64]) -> int:
    """Bytes that tasks which are given histories take of this machine at once; 0 where there are none.

    `activity` is as of `histories.cuts_of`.
    """
    master = _asked.master
    if not _asked.grouped or (master is not None and not spark.is_here(master)):
        return 0
    return compute.current().threads * task_bytes(activity)


def current() -> Engine:
    """The engine chosen by `use` or `start`; threads before that."""
    return _current


def ask(choice: Choice) -> None:
    """Tell memory for `choice`, which runs then `start`; InputError as `Choice.check`."""
    global _asked
    choice.check()
    spark.configure(choice.master)
    _asked = choice


def asked() -> Choice:
    """What `ask` or `start` was told; threads before that."""
    return _asked


def use(engine: Engine) -> None:
    """Let `engine` do what this process has to do from here on."""
    global _current
    _current = engine


def start(choice: Choice) -> None:
    """Use the engine that is asked for until this process ends; InputError where it does not start."""
    global _asked
    _asked = choice
    if choice.name == "local":
        use(LocalEngine())
        return
    spark.configure(choice.master)
    engine = GroupedEngine() if choice.grouped else SparkEngine()
    use(engine)
    # What a process of multiprocessing does at its end; it knows no `atexit`.
    Finalize(None, _end, (engine,), exitpriority=1)


def _end(engine: SparkEngine) -> None:
    engine.close()
    spark.stop()
