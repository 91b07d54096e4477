"""Threads for the compiled loops of a training step, which is too short to start new ones."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from support import compute


def in_parts(work: Callable[[int, int], None], total: int) -> None:
    """Call `work(start, stop)` for as many equal parts of 0..`total` as there are threads, one on each."""
    threads = compute.current().threads
    size = max(1, -(-total // threads))
    starts = range(0, total, size)
    list(_pool(threads).map(lambda start: work(start, min(start + size, total)), starts))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)
