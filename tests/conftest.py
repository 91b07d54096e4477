"""One thread a process: tests fill the cores by running side by side."""

import pytest

from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.system import cores

WORKERS = min(cores.available(), 8)
"""What pytest-xdist's `-n auto` means; each takes about 1 GB."""

# Before anything imports torch or numba, whose thread pools read the environment once.
compute.configure("cpu", "fp32", threads=1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return WORKERS
