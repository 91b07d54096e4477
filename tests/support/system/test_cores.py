import os
import subprocess
import sys

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support.system import cgroups, cores


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    """Write the files of control groups; gives the quota that is read from them."""

    monkeypatch.setattr(cgroups, "ROOT", tmp_path / "cgroup")
    monkeypatch.setattr(cgroups, "MEMBERSHIP", tmp_path / "membership")

    def quota(membership, files):
        (tmp_path / "membership").write_text(membership)
        for name, text in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return cores._quota()

    return quota


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {"a/cpu.max": "50000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1),
        ("0::/of/the/host\n", {"cpu.max": "300000 100000\n"}, 3),
        ("3:cpu,a:/x\n", {"cpu,a/x/cpu.cfs_quota_us": "400000", "cpu,a/x/cpu.cfs_period_us": "100000"}, 4),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("5:memory:/x\n", {"memory/x/cpu.max": "100000 100000"}, None),
        ("0::/\n", {"cpu.max": "nonsense\n"}, None),
        ("", {}, None),
    ],
)  # fmt: skip
def test_a_containers_quota_is_read(cgroup, membership, files, expected):
    assert cgroup(membership, files) == expected


def test_a_quota_is_kept(monkeypatch):
    monkeypatch.delenv(cores.LIMIT, raising=False)
    monkeypatch.setattr(cores, "affinity", lambda: 8)
    monkeypatch.setattr(cores, "_quota", lambda *_: 3)
    assert cores.available() == 3


def test_without_control_groups_there_is_no_quota(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroups, "MEMBERSHIP", tmp_path / "nothing")
    assert cores._quota() is None


@pytest.mark.parametrize(
    ("given", "expected"), [("1", 1), ("3", 3), ("2,4", 2), ("99", 8), ("", 8), ("all", 8), ("0", 8)]
)
def test_the_users_limit_is_kept(monkeypatch, given, expected):
    monkeypatch.setattr(cores, "affinity", lambda: 8)
    monkeypatch.setattr(cores, "_quota", lambda *_: None)
    monkeypatch.setenv(cores.LIMIT, given)
    assert cores.available() == expected


@pytest.mark.parametrize(("asked", "expected"), [(None, "1"), (2, "2")])
def test_thread_pools_are_told_what_was_decided(asked, expected):
    program = (
        "import os; from retrieval_leaderboard.support import compute; "
        f"compute.configure('cpu', threads={asked}); "
        "print(os.environ['OMP_NUM_THREADS'], os.environ['NUMBA_NUM_THREADS'], compute.current().threads)"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [expected] * 3
