"""The parts of a split, made by Spark's executors: each takes the rows of some users from mapped files."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.splits.protocol import Parts
from retrieval_leaderboard.datasets.splits.split import Deal, Work
from retrieval_leaderboard.datasets.splits.whole import drawn_after
from retrieval_leaderboard.support import spark
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.mapped import open_array

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Done = TypeVar("Done")
STREAMS = ("draws", "draws_after_pairs")
"""The random numbers of a `Whole` that its parts take one after the other"""


@dataclass(frozen=True)
class Task:
    """Some users of a log that is split."""

    number: int
    first: int
    """Code of the first user"""
    end: int
    """That of the first user after them"""
    drawn: tuple[int, ...] = (0, 0)
    """Where in its stream each of `STREAMS` is"""


def dealt(folder: Path) -> Deal:
    """How `split` has its parts made by executors, which leave them in `folder`; all must see it."""

    def parts(work: Work) -> Iterator[tuple[int, Parts]]:
        scratch = folder.resolve() / "parts"
        scratch.mkdir()
        work = _handed_out(work, scratch)
        tasks = [Task(number, *ends) for number, ends in enumerate(work.whole.log.stretches())]
        with spark.using() as session:
            if not work.rule.timed:
                tasks = _placed(tasks, _run(session, tasks, _Count(work)))
            _run(session, tasks, _Split(work, scratch))
        for task in tasks:
            path = scratch / f"{task.number}.part"
            yield task.first, pickle.loads(path.read_bytes())
            path.unlink()
        shutil.rmtree(scratch)

    return parts


def _handed_out(work: Work, folder: Path) -> Work:
    """The same work in few bytes: without features, and with what only the whole log tells, found once."""
    bare: dict[str, Any] = {"user_features": None, "item_features": None}
    whole = replace(work.whole, log=replace(work.whole.log, **bare))
    catalog = replace(work.catalog, log=replace(work.catalog.log, **bare))
    if work.rule.sequential:
        np.save(folder / "order.npy", whole.order)
        vars(whole)["order"] = open_array(folder / "order.npy")
    if work.rule.own_test:
        vars(whole)["has_valid"] = whole.has_valid
    return replace(work, whole=whole, catalog=catalog)


def _run(session: SparkSession, tasks: list[Task], do: Callable[[Task], Done]) -> list[Done]:
    """What each task comes to, a few numbers, in order; InputError where one was refused."""
    found = session.sparkContext.parallelize(tasks, len(tasks)).map(_Answering(do)).collect()
    for each in found:
        if isinstance(each, InputError):
            raise each
    return found


@dataclass(frozen=True)
class _Answering:
    """Does a task and answers with its InputError, which Spark would bury in a trace."""

    do: Callable[[Task], Any]

    def __call__(self, task: Task) -> Any:
        try:
            return self.do(task)
        except InputError as error:
            return error


def _placed(tasks: list[Task], taken: list[tuple[int, ...]]) -> list[Task]:
    """The tasks, each where the numbers that those before it take have passed.

    The second stream begins where the first one ends.
    """
    counts = np.array(taken)
    before = np.cumsum(counts, axis=0) - counts
    before[:, 1] += counts[:, 0].sum()
    return [
        Task(task.number, task.first, task.end, tuple(place))
        for task, place in zip(tasks, before.tolist(), strict=True)
    ]


class _Counter:
    """Counts how many random numbers are taken; how many does not depend on which they are."""

    def __init__(self) -> None:
        self.taken = 0

    def random(self, n: int) -> npt.NDArray[np.float64]:
        self.taken += n
        return np.zeros(n)


@dataclass(frozen=True)
class _Count:
    """Finds out how many numbers of each of `STREAMS` a task takes."""

    work: Work

    def __call__(self, task: Task) -> tuple[int, ...]:
        counters = {name: _Counter() for name in STREAMS}
        vars(self.work.whole).update(counters)
        self.work.of(task.first, task.end)
        return tuple(each.taken for each in counters.values())


@dataclass(frozen=True)
class _Split:
    """Splits the rows of a task's users and writes the parts."""

    work: Work
    folder: Path

    def __call__(self, task: Task) -> int:
        streams = {
            name: drawn_after(self.work.whole.seed, place)
            for name, place in zip(STREAMS, task.drawn, strict=True)
        }
        vars(self.work.whole).update(streams)
        content = pickle.dumps(self.work.of(task.first, task.end), protocol=5)
        # A task may run twice at once: the file that has its name is whole at every moment.
        with NamedTemporaryFile(dir=self.folder, delete=False) as file:
            file.write(content)
        Path(file.name).replace(self.folder / f"{task.number}.part")
        return len(content)
