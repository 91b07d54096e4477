"""Main memory: what is free, and what this process took at most."""

from __future__ import annotations

import os
import sys
from itertools import product
from pathlib import Path

from retrieval_leaderboard.support.system import cgroups

UNKNOWN = 2**62
"""Bytes, where the system does not tell"""
MEMINFO, STATUS = Path("/proc/meminfo"), Path("/proc/self/status")
FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Limit, use, and what of it can be given back, in versions 2 and 1 of control groups"""


def available() -> int:
    """Bytes that are free, within the limits of a container; all there are where only that is known."""
    words = _words(MEMINFO)
    free = int(words["MemAvailable:"]) * 1024 if "MemAvailable:" in words else _physical()
    for group, (limit, used, cached) in product(cgroups.folders("memory"), FILES):
        try:
            left = int((group / limit).read_text()) - int((group / used).read_text())
        except (OSError, ValueError):  # No such group, or "max".
            continue
        free = min(free, left + int(_words(group / "memory.stat").get(cached, 0)))
    return max(free, 0)


def peak_mib() -> float:
    """Peak resident memory of this process in MiB; 0 where the system does not tell.

    On Linux from VmHWM: ru_maxrss starts at what the parent held when it started this process.
    """
    words = _words(STATUS)
    if "VmHWM:" in words:
        return int(words["VmHWM:"]) / 1024
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN


def _words(path: Path) -> dict[str, str]:
    """The first word of each line of a file and the second; nothing where there is no file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {words[0]: words[1] for words in map(str.split, lines) if len(words) > 1}
