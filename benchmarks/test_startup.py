"""What a user waits for before anything runs."""

import subprocess
import sys

import pytest

from retrieval_leaderboard import ROOT


@pytest.mark.benchmark(group="start")
def test_list(timed):
    timed(
        lambda: subprocess.run(
            [sys.executable, "run_all.py", "--list"], cwd=ROOT, capture_output=True, check=True
        )
    )
