"""Work cut into blocks of rows, done by plain threads around kernels that release the GIL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from retrieval_leaderboard.support import compute, progress

Result = TypeVar("Result")


def in_blocks(
    work: Callable[[int, int], Result], total: int, size: int, label: str, unit: str
) -> list[Result]:
    """Call `work(start, stop)` for every block of at most `size` of `total` rows.

    One thread does one block, so what a block gives does not depend on the number of threads.

    Args:
        work: called on several threads at once; gains from them where it releases the GIL.
        total: number of rows.
        size: rows in a block.
        label: what the progress bar says.
        unit: what the progress bar counts.

    Returns:
        What `work` returned, in the order of the blocks.
    """
    starts = range(0, total, size)
    results = []
    with (
        progress.bar(label, total, unit) as advance,
        ThreadPoolExecutor(compute.current().threads) as threads,
    ):
        for start, result in zip(
            starts, threads.map(lambda at: work(at, min(at + size, total)), starts), strict=True
        ):
            results.append(result)
            advance(min(size, total - start))
    return results
