"""Runs in the tests' own process, for tests of what is made of a run: a fresh one imports for a second."""

from collections.abc import Callable
from typing import Any

import pytest

from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError, UnwritableError


def call(function: Callable[..., Any], *args: Any) -> Any:
    """As `isolation.call`, here."""
    quiet, chosen = progress._quiet, compute.current()
    try:
        return function(*args)
    except UnwritableError:
        raise
    except InputError as error:
        raise isolation.Crash(str(error)) from error
    except Exception as error:
        raise isolation.Crash(f"{type(error).__name__}: {error}") from error
    finally:
        progress.configure(quiet)
        compute._current = chosen


def have_runs_here(patch: pytest.MonkeyPatch) -> None:
    """From now on runs, trials and checks of plug-ins start no process."""
    patch.setattr(isolation, "call", call)
