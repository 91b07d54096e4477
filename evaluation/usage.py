"""How busy the rest of the machine was while something was measured."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Seconds of work since the machine started of the cores this process may run on, and its own."""

    at: float
    machine: float
    """Of all processes"""
    ours: float
    """Of this process and its ended children"""

    @classmethod
    def now(cls) -> Usage:
        """As Linux counts them."""
        busy = sum(map(_busy, _lines(os.sched_getaffinity(0)))) / TICKS
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(time.monotonic(), busy, sum(each.ru_utime + each.ru_stime for each in spent))

    def seconds_ago(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.at

    def cores_elsewhere(self, before: Usage) -> float:
        """Cores that other processes kept busy since `before`, on average."""
        others = (self.machine - before.machine) - (self.ours - before.ours)
        return max(others / (self.at - before.at), 0.0)


def _lines(cores: set[int]) -> list[str]:
    """What Linux counts of each of `cores`."""
    names = {f"cpu{core}" for core in cores}
    return [line for line in Path("/proc/stat").read_text().splitlines() if line.split(" ", 1)[0] in names]


def _busy(line: str) -> int:
    user, nice, system, _, _, irq, softirq = map(int, line.split()[1:8])
    return user + nice + system + irq + softirq
