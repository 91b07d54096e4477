"""A limit of memory as it is written, and when one is proposed."""

from __future__ import annotations

import pandas as pd
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.prepared import limit
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import memory


@pytest.mark.parametrize("text, size", [
    ("6GB", 6 * 10**9), ("500 mb", 5 * 10**8), ("1.5GiB", 3 * 2**29), (2**30, 2**30), (None, None),
])  # fmt: skip
def test_sizes(text, size):
    assert limit.parse(text) == size


@pytest.mark.parametrize("text", ["6", "GB", "-1GB", "6 apples", True, "6KB"])
def test_what_is_no_size(text):
    with pytest.raises(InputError, match="is no size; give one such as 6GB"):
        limit.parse(text)


def test_a_size_that_is_told_can_be_given():
    assert limit.size(2**28) == "269MB"
    assert limit.parse(limit.size(2**28)) >= 2**28


def test_a_limit_is_proposed_where_a_file_may_not_fit(tmp_path, monkeypatch, capsys):
    table = pd.DataFrame({"user": [row % 9 for row in range(90)], "item": range(90), "timestamp": range(90)})
    table.to_csv(tmp_path / "log.csv", index=False)
    load(tmp_path / "log.csv", protocol="random")
    assert "--memory" not in capsys.readouterr().out
    monkeypatch.setattr(memory, "available", lambda: 1000)
    load(tmp_path / "log.csv", protocol="random")
    said = capsys.readouterr().out
    assert "log.csv may take" in said and "--memory 1GB prepares it on disk" in said


def test_a_folder_in_memory_is_noticed(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(limit, "MOUNTS", mounts)
    mounts.write_text(f"disk / ext4 rw 0 0\nnone {tmp_path} tmpfs rw 0 0\n")
    assert "lies in memory (tmpfs): set RETRIEVAL_CACHE" in limit.in_memory(tmp_path / "cache")
    mounts.write_text("disk / ext4 rw 0 0\n")
    assert limit.in_memory(tmp_path / "cache") == ""
    mounts.unlink()
    assert limit.in_memory(tmp_path / "cache") == ""
