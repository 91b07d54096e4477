"""The memory of a service by the number of its processes, as Linux tells it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard.benchmarks.serving import client, load
from retrieval_leaderboard.benchmarks.serving.record import Memory, MemoryRecord
from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.support.errors import InputError

REQUESTS, AT_ONCE = 2000, 16
"""Answered before it is measured, so that pages are there that requests need"""


def measure(folder: Path, counts: Sequence[int]) -> MemoryRecord:
    """Serve the bundle in `folder` by each number of processes in turn, and measure them all together.

    Raises:
        InputError: no bundle, a server that does not start on it, or another system.
    """
    if sys.platform != "linux":
        raise InputError("only Linux tells how much memory processes share: run it there")
    about, bodies, rows = bundle.read_about(folder), load.bodies(folder, REQUESTS), []
    for count in counts:
        with load.running(folder, "--read-only", "--workers", str(count)) as address:
            client.post_all(f"{address}/recommend", bodies, AT_ONCE)
            proportional, resident = (
                sum(_mib(pid, name) for pid in _descendants(os.getpid())) for name in ("Pss", "Rss")
            )
            rows.append(Memory(count, round(proportional), round(resident)))
    return MemoryRecord(
        rows=rows,
        dataset=about.title,
        model=about.model,
        index=about.kind,
        items=about.items,
        files_mib=round(sum((folder / name).stat().st_size for name in _mapped(folder)) / 2**20),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=environment.git_commit(),
    )


def _mapped(folder: Path) -> list[str]:
    """The files of a bundle that processes share."""
    return [name for name in (*bundle.MODEL, bundle.INDEX) if (folder / name).exists()]


def _descendants(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            yield child
            yield from _descendants(child)


def _mib(pid: int, name: str) -> float:
    """One of the sums of `smaps_rollup`."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
