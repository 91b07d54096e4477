"""What a reader gives, as a log: in memory, or in the cache within a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.prepared import folder, limit
from retrieval_leaderboard.datasets.prepared.log_folder import prepared
from retrieval_leaderboard.datasets.prepared.sorting import sort as sort_here
from retrieval_leaderboard.datasets.prepared.spark.sorting import sort as sort_on_spark
from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.datasets.tables.files import inside
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums

LOCAL, SPARK = "local", "spark"
ENGINES = (LOCAL, SPARK)
"""What may prepare a log"""
OF_A_TASK = 2**30
"""Bytes of memory that a task of Spark may take where nothing else is said"""
PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Means:
    """By which a log is prepared."""

    memory: int | None = None
    """Bytes that it may take; None where nothing was said"""
    on_spark: bool = False

    @property
    def limit(self) -> int | None:
        """Bytes that it may take, with Spark those of a task; None where all is to be in memory."""
        return OF_A_TASK if self.memory is None and self.on_spark else self.memory


def as_log(read: Log | ChunkedLog, paths: Sequence[Path], means: Means, said: Any = None) -> Log:
    """The log of a source.

    Args:
        read: what its reader gives.
        paths: the files that it reads, and folders of them; other content is another log.
        means: by Spark or not, it comes to the same arrays in the same folder. With Spark a source that is
            read whole stays in memory, for it is small.
        said: all else that decides what is read, as `repr` tells it.

    Raises:
        InputError: a source that is read whole, or as `log_folder.prepared` or `ChunkedLog.log`.
    """
    if isinstance(read, Log):
        if means.memory is not None and not means.on_spark:
            raise InputError(f"--memory: {read.name} has no reader that keeps to a limit; leave it out")
        return read
    if means.limit is None:
        _say(limit.proposal(read.name, _files(paths)))
        return read.log()
    place = cache_dir() / "prepared"
    _say(limit.in_memory(place))
    about = folder.key(folder.identity(_files(paths)), said, read.name, read.ordered, _code())
    sort = sort_on_spark if means.on_spark else sort_here
    return prepared(read, place / f"{read.name}-{about}", means.limit, sort)


def _say(sentence: str) -> None:
    if sentence:
        progress.say(sentence)


def _files(paths: Sequence[Path]) -> list[Path]:
    found = [each for path in paths for each in (inside(path) if path.is_dir() else [path])]
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


def _code() -> str:
    """A hash of all code that reads: another version may read otherwise."""
    return checksums.digest(*sorted(PACKAGE.rglob("*.py")))
