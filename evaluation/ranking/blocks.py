"""Work cut into blocks of rows, done by plain threads around kernels that release the GIL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from retrieval_leaderboard.evaluation.ranking import forecast
from retrieval_leaderboard.support import compute, progress

Result = TypeVar("Result")


def in_blocks(
    work: Callable[[int, int], Result], total: int, size: int, label: str, unit: str, said: str = ""
) -> list[Result]:
    """Call `work(start, stop)` for every block of at most `size` of `total` rows.

    One thread does one block, so what a block gives does not depend on the number of threads.

    Args:
        work: called on several threads at once; gains from them where it releases the GIL.
        total: number of rows.
        size: rows in a block.
        label: what the progress bar says.
        unit: what the progress bar counts.
        said: with the duration, after the first block, where that is long; "" where nothing is.

    Returns:
        What `work` returned, in the order of the blocks.
    """
    results: list[Result] = []
    said = "" if progress.busy() else said
    begun = time.perf_counter()
    with progress.bar(label, total, unit) as advance:
        for start, result in zip(range(0, total, size), in_threads(work, total, size), strict=True):
            results.append(result)
            if said and start == 0:
                # Meanwhile each other thread did a block too.
                forecast.say(label, (time.perf_counter() - begun) * total / min(size, total), said)
            advance(min(size, total - start))
    return results


def in_threads(work: Callable[[int, int], Result], total: int, size: int) -> Iterator[Result]:
    """As `in_blocks`, without a bar: a result as soon as it and those before it are there."""
    starts = range(0, total, size)
    with ThreadPoolExecutor(compute.current().threads) as threads:
        yield from threads.map(lambda at: work(at, min(at + size, total)), starts)
