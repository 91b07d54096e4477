"""Fixtures of searches."""

import pytest

from retrieval_leaderboard.evaluation.tuning import search
from retrieval_leaderboard.support import progress
from tests.evaluation.tuning.searches import in_this_process


@pytest.fixture(autouse=True)
def quiet():
    progress.configure(quiet=True)
    yield
    progress.configure(quiet=False)


@pytest.fixture
def here(monkeypatch):
    """Trials in this process: the tests are of the search."""
    monkeypatch.setattr(search.isolation, "call", in_this_process)
