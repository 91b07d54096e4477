"""What a piece of work takes in a process of its own: seconds, and memory at its peak."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.studies.processes import anonymous_mib_of
from retrieval_leaderboard.support.system import memory

SECONDS = 0.02
"""Between two looks at the memory"""


@dataclass(frozen=True)
class Taken:
    """Of one piece of work."""

    wall: float
    """Seconds"""
    cpu: float
    """Seconds of all threads"""
    resident_mib: float
    """At its peak, pages of mapped files included (VmHWM)"""
    anonymous_mib: float
    """At its peak, without pages of files, which the system takes back where memory is short (RssAnon)"""


def measured(function: Callable[..., Any], *args: Any) -> tuple[Any, Taken]:
    """What `function(*args)` returns in a fresh process, and what it took."""
    return isolation.call(watched, function, *args)


def watched(function: Callable[..., Any], *args: Any) -> tuple[Any, Taken]:
    """The same in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    with peak_of(anonymous_mib_of) as peak:
        found = function(*args)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return found, Taken(round(wall, 2), round(cpu, 2), round(memory.peak_mib(), 1), round(peak[0], 1))


@contextmanager
def peak_of(look: Callable[[], float], seconds: float = SECONDS) -> Iterator[list[float]]:
    """The most that `look` says within, in a list of one; it is asked again after so many seconds."""
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(seconds):
            peak[0] = max(peak[0], look())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        peak[0] = max(peak[0], look())
        done.set()
        watcher.join()


@contextmanager
def empty_cache(folder: Path) -> Iterator[None]:
    """Within, the cache is a folder of its own in `folder`, which is removed at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="cache-", dir=folder, ignore_cleanup_errors=True) as cache,
        mock.patch.dict(os.environ, {"RETRIEVAL_CACHE": cache}),
    ):
        yield
