"""Engines: what does the blocks of a fit or a ranking."""

from retrieval_leaderboard.evaluation.engines.choice import current, use
from retrieval_leaderboard.evaluation.engines.engine import Engine

__all__ = ["Engine", "current", "use"]
