"""Fixtures of searches."""

import pytest

from retrieval_leaderboard.support import progress
from tests.evaluation.runs.in_process import have_runs_here


@pytest.fixture(autouse=True)
def quiet():
    progress.configure(quiet=True)
    yield
    progress.configure(quiet=False)


@pytest.fixture
def here(monkeypatch):
    """Trials in this process: the tests are of the search."""
    have_runs_here(monkeypatch)
