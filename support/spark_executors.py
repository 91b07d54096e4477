"""An end for jobs that no executor does, for which Spark itself waits for ever."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark import SparkContext

STANDALONE_SECONDS = 60.0
"""A job waits at most for an executor: a standalone cluster has one within seconds, or no room"""
QUEUED_SECONDS = 600.0
"""The same elsewhere, where an application may stand in a queue and images are fetched"""
LOOK_SECONDS = 1.0


class ExecutorWatch:
    """Cancels the jobs of a session on a cluster that have had no executor for too long.

    There may be none because no worker is there, none has room, or all were lost. An idle session may have
    none.
    """

    def __init__(self, context: SparkContext) -> None:
        """Look at `context` once a second, until `stop`."""
        self._context = context
        self._master = str(context.master)
        self._limit = STANDALONE_SECONDS if self._master.startswith("spark://") else QUEUED_SECONDS
        self._over = Event()
        self._sentence = ""
        self._thread = Thread(target=self._watch, name="spark-executors", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End with the session, before it does."""
        self._over.set()
        self._thread.join()

    def reason(self) -> str:
        """Why jobs were canceled since the last call, as a sentence; "" where none was."""
        found, self._sentence = self._sentence, ""
        return found

    def _watch(self) -> None:
        from py4j.protocol import Py4JError

        since = time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            try:
                if not self._waits():
                    since = time.monotonic()
                elif time.monotonic() - since >= self._limit:
                    self._cancel()
                    since = time.monotonic()
            except Py4JError:  # The JVM has ended, and so has every job.
                return

    def _waits(self) -> bool:
        """Whether there is something to do and nobody who does it."""
        if not self._context.statusTracker().getActiveJobsIds():
            return False
        # The driver is one of them.
        return int(self._context._jsc.sc().getExecutorMemoryStatus().size()) <= 1

    def _cancel(self) -> None:
        self._sentence = (
            f"{self._master} gave this session no executor for {self._limit:.0f} seconds: see that "
            "its workers run and have free cores, and as much memory as spark.executor.memory asks for"
        )
        self._context.cancelAllJobs()
