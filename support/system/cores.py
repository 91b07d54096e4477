"""How many threads this process may use: its cores, a container's share of them, and the user's limit."""

from __future__ import annotations

import math
import os
from pathlib import Path

from retrieval_leaderboard.support.system import cgroups

LIMIT = "OMP_NUM_THREADS"
"""The variable by which users limit the threads of numerical programs."""


def available() -> int:
    """Cores this process may run on, no more than a container's CPU quota and than `LIMIT` allow."""
    limits = [affinity(), _quota(), _asked()]
    return max(1, min(limit for limit in limits if limit is not None))


def affinity() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _asked() -> int | None:
    """The user's limit; None without one, or where it is no number (OpenMP reads "2,1" as levels)."""
    first = os.environ.get(LIMIT, "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) else None


def _quota() -> int | None:
    """Cores that the tightest quota of this process's control groups is worth, rounded up.

    Reads both versions of Linux's control groups: `cpu.max` (2), `cpu.cfs_quota_us` and
    `cpu.cfs_period_us` (1). None without a quota.
    """
    shares = [share for folder in cgroups.folders("cpu") if (share := _share(folder)) is not None]
    return math.ceil(min(shares)) if shares else None


def _share(folder: Path) -> float | None:
    """Seconds of computing a second that one group may take; None where it says nothing, or has no limit."""
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return float(quota) / float(period) if quota != "max" and float(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
