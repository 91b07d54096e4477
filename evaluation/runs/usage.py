"""How busy the rest of the machine was while something was measured."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Usage:
    """Seconds of work since the machine started of the cores this process may run on, and its own."""

    at: float
    machine: float
    """Of all processes; NaN where the system does not count them"""
    ours: float
    """Of this process and its ended children"""

    @classmethod
    def now(cls) -> Usage:
        """As the system counts them."""
        return cls(time.monotonic(), _machine(), sum(os.times()[:4]))

    def seconds_ago(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.at

    def cores_elsewhere(self, before: Usage, processes: int = 1) -> float:
        """Cores that others than so many `processes` that do as much as this one kept busy since `before`, on
        average.

        Where the system does not count the cores' work it is the load of the last minute less our own share.
        """
        seconds, ours = self.at - before.at, processes * (self.ours - before.ours)
        if math.isnan(self.machine) or math.isnan(before.machine):
            load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
            return max(load - ours / seconds, 0.0)
        return max((self.machine - before.machine - ours) / seconds, 0.0)


def _machine() -> float:
    """Seconds of all work on the cores that this process may run on."""
    try:
        lines = STAT.read_text().splitlines()
    except OSError:
        return math.nan
    names = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    ticks = sum(_busy(line) for line in lines if line.split(" ", 1)[0] in names)
    return ticks / os.sysconf("SC_CLK_TCK")


def _busy(line: str) -> int:
    user, nice, system, _, _, irq, softirq = map(int, line.split()[1:8])
    return user + nice + system + irq + softirq
