"""Clocks, waits and memory of a GPU; on a CPU, which has none of them, a clock alone."""

from __future__ import annotations

import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from retrieval_leaderboard.support.devices import DEVICES

Work = Callable[[], Any]


def seconds(work: Work, device: str, rounds: int = 10) -> float:
    """Median seconds of a call of `work`, after three that are not counted; on a GPU by its own clock."""
    for _ in range(3):
        work()
    if not DEVICES[device].asynchronous:
        return statistics.median(elapsed(work) for _ in range(rounds))
    marks = [
        (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(rounds)
    ]
    for begin, end in marks:
        begin.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return statistics.median(begin.elapsed_time(end) for begin, end in marks) / 1000


def elapsed(work: Work) -> float:
    """Seconds of one call, by the host's clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def clear(device: str) -> None:
    """Give back what PyTorch holds of a GPU's memory, and begin to look for its peak anew."""
    if DEVICES[device].asynchronous:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def waits(work: Work) -> dict[str, int]:
    """File and line → how often PyTorch saw the host wait for the GPU there."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            work()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    seen = [each for each in caught if "called a synchronizing" in str(each.message)]
    return dict(Counter(f"{Path(each.filename).name}:{each.lineno}" for each in seen))


def busy(work: Work) -> float:
    """The share of the time of `work` in which a kernel runs."""

    def whole() -> None:
        work()
        torch.cuda.synchronize()

    torch.cuda.synchronize()
    total = elapsed(whole)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        whole()
    return sum(each.self_device_time_total for each in profile.key_averages()) / 1e6 / total


def calls(work: Work) -> int:
    """How many operations the host asks for in `work`, backward ones too."""
    with _Count() as count:
        work()
    return count.calls


class _Count(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls += 1
        return func(*args, **(kwargs or {}))
