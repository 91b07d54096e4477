"""Speed, load, faults, GPU and torchrun, measured here and beside peers; pages are derived from the records."""

from retrieval_leaderboard.support import python  # noqa: F401  (an older Python gets a sentence)
