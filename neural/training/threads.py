"""The threads of a training step, which is too short to start new ones."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch
from torch import Tensor

from retrieval_leaderboard.evaluation.runs.usage import Usage
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.system import cores


def fuses(values: Tensor) -> bool:
    """Whether compiled kernels take `values`: float32 in main memory, which no operation is to round."""
    plain = DEVICES[values.device.type].asynchronous or torch.is_autocast_enabled(values.device.type)
    return not plain and values.dtype == torch.float32


def in_parts(work: Callable[[int, int], None], total: int) -> None:
    """Call `work(start, stop)` for as many equal parts of 0..`total` as there are threads, one on each."""
    threads = compute.current().threads
    if threads == 1:  # Handing the work over would take as long as much of it does.
        return work(0, total)
    size = max(1, -(-total // threads))
    starts = range(0, total, size)
    list(_pool(threads).map(lambda start: work(start, min(start + size, total)), starts))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


class Spare:
    """PyTorch's threads, no more than other processes leave cores for.

    Its operations wait for the slowest of their threads. Where another process has its core, the others
    spin: steps beside two busy processes on two cores took 25 times as long, and with threads that sleep
    instead of spinning steps of a quiet machine take 1.4 times as long. Results are the same by any number.
    """

    SECONDS = 0.5
    """Between two looks at the machine"""

    def __init__(self) -> None:
        self.most, self.cores = compute.current().threads, cores.affinity()
        self.before = Usage.now()
        torch.set_num_threads(self.most)

    def adapt(self) -> None:
        """Look whether the machine is busy, where that is due; call it between two steps."""
        now = Usage.now() if self.most > 1 and self.before.seconds_ago() > self.SECONDS else None
        if now is not None:
            free = round(self.cores - now.cores_elsewhere(self.before))
            torch.set_num_threads(max(1, min(free, self.most)))
            self.before = now
