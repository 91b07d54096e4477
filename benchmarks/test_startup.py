"""What a user waits for before anything runs."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.benchmark(group="start")
def test_list(timed):
    timed(
        lambda: subprocess.run(
            [sys.executable, "run_all.py", "--list"], cwd=ROOT, capture_output=True, check=True
        )
    )
