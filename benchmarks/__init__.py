"""Speed, measured: suites for pytest-benchmark, and scripts that derive pages from stored runs."""

from retrieval_leaderboard.support import python  # noqa: F401  (an older Python gets a sentence)
