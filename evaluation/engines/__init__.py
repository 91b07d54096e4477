"""Engines: what does the blocks of a fit or a ranking."""

from retrieval_leaderboard.evaluation.engines.choice import (
    NAMES,
    THREADS,
    Choice,
    ask,
    asked,
    bytes_of_tasks,
    current,
    start,
    use,
)
from retrieval_leaderboard.evaluation.engines.engine import Engine
from retrieval_leaderboard.evaluation.engines.grouped import GroupedEngine
from retrieval_leaderboard.evaluation.engines.histories import Histories

__all__ = [
    "NAMES",
    "THREADS",
    "Choice",
    "Engine",
    "GroupedEngine",
    "Histories",
    "ask",
    "asked",
    "bytes_of_tasks",
    "current",
    "start",
    "use",
]
