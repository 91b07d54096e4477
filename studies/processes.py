"""What this process, and all that it started, take, as Linux counts it in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROCESSES = Path("/proc")


def processor_seconds(others: Sequence[int] = ()) -> float:
    """Of this process, of `others`, and of all that they started, those that have ended included."""
    return sum(_seconds(process) for process in tree(others))


def anonymous_mib() -> float:
    """What this process and all that it started hold that is no page of a file (RssAnon)."""
    return sum(anonymous_mib_of(str(process)) for process in tree())


def tree(others: Sequence[int] = ()) -> list[int]:
    """Ids of this process, of `others`, and of all that they started and that still run."""
    children: dict[int, list[int]] = {}
    for folder in PROCESSES.glob("[0-9]*"):
        if fields := _fields(int(folder.name)):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    ahead, found = [os.getpid(), *others], []
    while ahead:
        found.append(ahead.pop())
        ahead += children.get(found[-1], [])
    return found


def anonymous_mib_of(process: str = "self") -> float:
    """What a process holds that is no page of a file; 0 where the system does not tell."""
    return _mib(process, "RssAnon")


def forget_peak() -> None:
    """Have the peak of this process's memory begin anew."""
    (PROCESSES / "self" / "clear_refs").write_text("5")


@contextmanager
def most_anonymous_mib() -> Iterator[list[float]]:
    """The most that this process holds within that is no page of a file, in a list of one.

    Linux counts it, so that no moment is missed; pages of files are those at the end.
    """
    forget_peak()
    most = [0.0]
    yield most
    peak, files, shared = (_mib("self", name) for name in ("VmHWM", "RssFile", "RssShmem"))
    most[0] = peak - files - shared


def _seconds(process: int) -> float:
    return sum(map(int, _fields(process)[11:15])) / os.sysconf("SC_CLK_TCK")


def _fields(process: int) -> list[str]:
    """What /proc/N/stat says after the name; nothing where it has just ended."""
    try:
        return (PROCESSES / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _mib(process: str, name: str) -> float:
    """A line of /proc/N/status; 0 where the system does not tell."""
    try:
        lines = (PROCESSES / process / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)
