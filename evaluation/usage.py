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
    """Seconds of all cores' work since the machine started, and of this process and its ended children."""

    at: float
    machine: float
    """NaN where the system does not count them"""
    ours: float

    @classmethod
    def now(cls) -> Usage:
        """As the system counts them."""
        return cls(time.monotonic(), _machine(), sum(os.times()[:4]))

    def cores_elsewhere(self, before: Usage) -> float:
        """Cores that other processes kept busy since `before`, on average.

        Where the system does not count the cores' work it is the load of the last minute less our own share.
        """
        seconds, ours = self.at - before.at, self.ours - before.ours
        if math.isnan(self.machine) or math.isnan(before.machine):
            load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
            return max(load - ours / seconds, 0.0)
        return max((self.machine - before.machine - ours) / seconds, 0.0)


def _machine() -> float:
    try:
        user, nice, system, _, _, irq, softirq = map(int, STAT.read_text().split()[1:8])
    except OSError:
        return math.nan
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
