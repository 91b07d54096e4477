"""The engine of one process: plain threads around kernels that release the GIL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from retrieval_leaderboard.evaluation.engines.engine import Result, Shared
from retrieval_leaderboard.support import compute, progress


class LocalEngine:
    """As many threads as `compute.current` says. One thread does one block."""

    name = "local"

    def map(
        self,
        kernel: Callable[[Shared, int, int], Result],
        shared: Shared,
        total: int,
        size: int,
        label: str,
        unit: str,
    ) -> Iterator[Result]:
        """As `Engine.map`."""
        if 0 < total <= size:
            # As a service asks for it: a thread and a bar take longer to start than the block.
            yield kernel(shared, 0, total)
            return
        results = in_threads(partial(kernel, shared), total, size)
        with progress.bar(label, total, unit) as advance:
            for start in range(0, total, size):
                yield next(results)
                advance(min(size, total - start))


def in_threads(work: Callable[[int, int], Result], total: int, size: int) -> Iterator[Result]:
    """What `work(start, stop)` returns for each block, as soon as it and those before it are there.

    Without a bar, and for work that changes arrays in place.
    """
    starts = range(0, total, size)
    with ThreadPoolExecutor(compute.current().threads) as threads:
        yield from threads.map(lambda at: work(at, min(at + size, total)), starts)
