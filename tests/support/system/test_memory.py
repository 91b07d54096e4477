"""Main memory on systems that tell less than Linux does, and in containers."""

import pytest

from retrieval_leaderboard.support.system import cgroups, memory
from retrieval_leaderboard.support.system.memory import available, peak_mib

GIB = 2**30


@pytest.fixture
def hidden(monkeypatch, tmp_path):
    """A system without /proc and without control groups."""
    for module, name in ((memory, "MEMINFO"), (memory, "STATUS"), (cgroups, "ROOT"), (cgroups, "MEMBERSHIP")):
        monkeypatch.setattr(module, name, tmp_path / name)
    return tmp_path


def test_without_proc_there_is_another_way(hidden, monkeypatch):
    assert 2**28 < available() < memory.UNKNOWN
    assert 10 < peak_mib() < 100_000
    monkeypatch.delattr(memory.os, "sysconf")
    assert available() == memory.UNKNOWN
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert peak_mib() == 0.0


@pytest.mark.parametrize(
    ("membership", "folder", "limit", "used", "cached"),
    [
        ("0::/", "", "memory.max", "memory.current", "inactive_file"),
        ("0::/a/b", "a", "memory.max", "memory.current", "inactive_file"),
        ("4:memory:/", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ],
)
def test_a_container_has_less_and_may_drop_what_it_cached(hidden, membership, folder, limit, used, cached):
    (hidden / "MEMBERSHIP").write_text(f"{membership}\n")
    (hidden / "MEMINFO").write_text(f"MemTotal: 9 kB\nMemAvailable:  {8 * 2**20} kB\n")
    assert available() == 8 * GIB
    group = hidden / "ROOT" / folder
    group.mkdir(parents=True)
    (group / limit).write_text("max\n")
    (group / used).write_text(f"{3 * GIB}\n")
    assert available() == 8 * GIB
    (group / limit).write_text(f"{4 * GIB}\n")
    assert available() == GIB
    (group / "memory.stat").write_text(f"anon 5\n{cached} {2 * GIB}\n")
    assert available() == 3 * GIB
