"""Tests of several processes that train together, where PyTorch can join them."""

import pytest

from retrieval_leaderboard.benchmarks.torchrun.processes import in_ranks
from retrieval_leaderboard.support import ranks

needs_ranks = pytest.mark.skipif(bool(ranks.available()), reason=ranks.available() or "-")

__all__ = ["in_ranks", "needs_ranks"]
