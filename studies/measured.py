"""What a piece of work takes in a process of its own: seconds, and memory at its peak."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.support.system import memory

STATUS = Path("/proc/self/status")
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
    peak, done = [0.0], threading.Event()

    def look() -> None:
        while not done.wait(SECONDS):
            peak[0] = max(peak[0], anonymous_mib())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    found = function(*args)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak[0] = max(peak[0], anonymous_mib())
    done.set()
    watcher.join()
    return found, Taken(round(wall, 2), round(cpu, 2), round(memory.peak_mib(), 1), round(peak[0], 1))


def anonymous_mib() -> float:
    """What this process holds that is no page of a file; 0 where the system does not tell."""
    try:
        lines = STATUS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:")), 0.0)
