"""The control groups of this process, by which Linux limits containers."""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def folders(controller: str) -> list[Path]:
    """The folders of this process's groups that have a "cpu" or "memory" controller, and of those above them.

    Both versions of control groups are looked at; a folder need not exist.
    """
    try:
        lines = MEMBERSHIP.read_text().splitlines()
    except OSError:
        return []
    found = []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        names = controllers.split(",")
        if names != [""] and controller not in names:
            continue
        # A container sees its own group as the root, though the path may be the host's.
        parts = Path(path.lstrip("/")).parts
        below = [Path(*parts[:depth]) for depth in range(len(parts) + 1)]
        mounts = [ROOT] if names == [""] else [ROOT / controllers, ROOT / controller]
        found += [mount / each for mount in mounts for each in below]
    return found
