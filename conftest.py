"""Fixtures shared by tests and benchmarks."""

import os
from pathlib import Path

import pytest

from retrieval_leaderboard import ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real datasets; tests that need one of them skip where it is absent."""
    candidates = [os.environ.get("RETRIEVAL_DATA", ""), ROOT.parent / "shared" / "data", ROOT / "data"]
    for folder in map(Path, filter(None, candidates)):
        if (folder / "gowalla" / "train.txt").is_file():
            return folder
    pytest.skip("no real datasets here: set RETRIEVAL_DATA to a folder that holds gowalla/, ml-1m/, …")
