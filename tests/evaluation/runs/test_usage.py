"""Cores that others keep busy, where the system counts them and where it tells the load alone."""

import math
import os

import pytest

from retrieval_leaderboard.evaluation.runs import usage
from retrieval_leaderboard.evaluation.runs.usage import Usage


def test_work_of_others_is_the_machines_less_ours():
    before, after = Usage(10.0, 100.0, 5.0), Usage(20.0, 135.0, 20.0)
    assert after.cores_elsewhere(before) == 2.0


def test_without_proc_the_load_is_asked(monkeypatch, tmp_path):
    monkeypatch.setattr(usage, "STAT", tmp_path / "absent")
    assert math.isnan(Usage.now().machine)
    monkeypatch.setattr(os, "getloadavg", lambda: (3.0, 1.0, 1.0))
    before, after = Usage(10.0, math.nan, 5.0), Usage(20.0, math.nan, 20.0)
    assert after.cores_elsewhere(before) == pytest.approx(1.5)
    monkeypatch.delattr(os, "getloadavg")
    assert after.cores_elsewhere(before) == 0.0
