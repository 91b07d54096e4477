"""What a reader gives, as a log: in memory, or in the cache within a limit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.prepared import folder, limit
from retrieval_leaderboard.datasets.prepared.log_folder import prepared
from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums

PACKAGE = Path(__file__).resolve().parents[1]


def as_log(read: Log | ChunkedLog, paths: Sequence[Path], memory: int | None, said: Any = None) -> Log:
    """The log of a source.

    Args:
        read: what its reader gives.
        paths: the files that it reads, and folders of them; other content is another log.
        memory: bytes that preparing it may take; None where all is to be in memory.
        said: all else that decides what is read, as `repr` tells it.

    Raises:
        InputError: a source that is read whole, or as `log_folder.prepared` or `ChunkedLog.log`.
    """
    if isinstance(read, Log):
        if memory is not None:
            raise InputError(f"--memory: {read.name} has no reader that keeps to a limit; leave it out")
        return read
    if memory is None:
        _say(limit.proposal(read.name, _files(paths)))
        return read.log()
    place = cache_dir() / "prepared"
    _say(limit.in_memory(place))
    about = folder.key(folder.identity(_files(paths)), said, read.name, read.ordered, _code())
    return prepared(read, place / f"{read.name}-{about}", memory)


def _say(sentence: str) -> None:
    if sentence:
        progress.say(sentence)


def _files(paths: Sequence[Path]) -> list[Path]:
    found = [each for path in paths for each in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


def _code() -> str:
    """A hash of all code that reads: another version may read otherwise."""
    return checksums.digest(*sorted(PACKAGE.rglob("*.py")))
