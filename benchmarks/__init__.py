"""Speed, load, faults, GPU and torchrun, measured here and beside peers; records make the pages."""

from retrieval_leaderboard.support import python  # noqa: F401  (an older Python gets a sentence)
