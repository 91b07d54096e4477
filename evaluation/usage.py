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
    """Seconds of all cores' work since the machine started, and of this process and its ended children."""

    at: float
    machine: float
    ours: float

    @classmethod
    def now(cls) -> Usage:
        """As Linux counts them."""
        user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        busy = (user + nice + system + irq + softirq) / TICKS
        return cls(time.monotonic(), busy, sum(each.ru_utime + each.ru_stime for each in spent))

    def cores_elsewhere(self, before: Usage) -> float:
        """Cores that other processes kept busy since `before`, on average."""
        others = (self.machine - before.machine) - (self.ours - before.ours)
        return max(others / (self.at - before.at), 0.0)
