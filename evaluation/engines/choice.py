"""The engine of this process."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.engines.engine import Engine
from retrieval_leaderboard.evaluation.engines.local import LocalEngine

_current: Engine = LocalEngine()


def current() -> Engine:
    """The engine chosen by `use`; threads before that."""
    return _current


def use(engine: Engine) -> None:
    """Let `engine` do what this process has to do from here on."""
    global _current
    _current = engine
