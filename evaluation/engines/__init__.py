"""Engines: what does the blocks of a fit or a ranking."""

from retrieval_leaderboard.evaluation.engines.choice import NAMES, THREADS, Choice, current, start, use
from retrieval_leaderboard.evaluation.engines.engine import Engine

__all__ = ["NAMES", "THREADS", "Choice", "Engine", "current", "start", "use"]
