"""The engine that deals blocks out to Spark's workers, which run the same kernels."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir
from typing import TYPE_CHECKING, Any

from retrieval_leaderboard.evaluation.engines.engine import Result, Shared
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.evaluation.engines.packing import pack, unpack
from retrieval_leaderboard.support import progress, spark
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.scratch import scratch_folder

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import SparkContext
    from pyspark.sql import DataFrame

TASKS_A_CORE = 4
"""Blocks go in so many tasks, so that no core waits long for the last one"""
LOOK_SECONDS = 1.0
"""Between two looks at how far a job is"""
SCHEMA = "block long, result binary"


class SparkEngine:
    """Blocks go as numbers, and shared arrays lie in a file that workers map.

    Where all of Spark runs on this machine, its workers read that file where it is, and leave the result of
    each block in a file; else Spark copies the one to every machine once, keeps it there until the session
    ends, and brings the others back as Arrow. A single block is done in this process.
    """

    def __init__(self, master: str | None = None) -> None:
        """Start a session where there is none yet; InputError as `spark.session`."""
        self._session = spark.session(master)
        self._open = ExitStack()
        self._folder = self._open.enter_context(scratch_folder(Path(gettempdir())))
        self._numbers = count()
        self.bytes_shared = self.bytes_returned = 0

    @property
    def name(self) -> str:
        """As `Engine.name`."""
        return f"spark on {self._session.sparkContext.master}"

    def close(self) -> None:
        """Remove the files of shared arrays."""
        self._open.close()

    def map(
        self,
        kernel: Callable[[Shared, int, int], Result],
        shared: Shared,
        total: int,
        size: int,
        label: str,
        unit: str,
    ) -> Iterator[Result]:
        """As `Engine.map`.

        Raises:
            InputError: a worker died, `kernel` raised in one, or the cluster gave no executor.
        """
        if total <= size:
            yield from LocalEngine().map(kernel, shared, total, size, label, unit)
            return
        blocks = -(-total // size)
        numbers = self._session.range(0, blocks, 1, min(blocks, self.tasks))
        shelf = self._shelf((kernel, shared))
        work = partial(_work, shelf=shelf, total=total, size=size)
        with progress.bar(label, total, unit) as advance:
            yield from self._results(numbers.mapInArrow(work, SCHEMA), shelf, total, label, advance)

    @property
    def tasks(self) -> int:
        """In which blocks go, where there are as many."""
        return TASKS_A_CORE * int(self._session.sparkContext.defaultParallelism)

    def _shelf(self, shared: Any) -> Shelf:
        """Share `shared` with all workers."""
        context = self._session.sparkContext
        here = spark.is_here(context.master)
        file = Path(self._folder, f"shared-{os.getpid()}-{next(self._numbers)}")
        pack(file, shared, here)
        self.bytes_shared += file.stat().st_size
        if not here:
            context.addFile(str(file))
        return Shelf(file, here)

    def _results(
        self, frame: DataFrame, shelf: Shelf, total: int, label: str, advance: Callable[[int], None]
    ) -> Iterator[Any]:
        """The results of `frame`, a row for each block, in their order.

        `advance` is told how many more of `total` are done.
        """
        table = self._collected(frame, total, label, advance)
        if shelf.here:
            shelf.file.unlink()  # Elsewhere, a machine that joins later asks for it.
        blocks = table["block"].to_numpy()
        for row in blocks.argsort():
            pickled = shelf.taken(blocks[row]) if shelf.here else table["result"][int(row)].as_buffer()
            self.bytes_returned += len(pickled)
            yield pickle.loads(pickled)

    def _collected(
        self, frame: DataFrame, total: int, label: str, advance: Callable[[int], None]
    ) -> pa.Table:
        context = self._session.sparkContext
        group = f"{label} {next(self._numbers)}"

        def collect() -> pa.Table:
            context.setJobGroup(group, label)
            return frame.toArrow()

        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(collect)
            try:
                _follow(context, group, answer, total, advance)
                return answer.result()
            except Exception as error:
                reason = spark.starved() or f"Spark gave up: {cause(str(error))}"
                raise InputError(f"{label}: {reason}") from error
            except BaseException:
                context.cancelJobGroup(group)
                raise


@dataclass(frozen=True)
class Shelf:
    """The file of what workers share, and where they leave results."""

    file: Path
    here: bool
    """Whether all of Spark runs on this machine"""

    def opened(self) -> Any:
        """On a worker: what is shared."""
        if self.here:
            return unpack(self.file)
        from pyspark import SparkFiles

        return unpack(Path(SparkFiles.get(self.file.name)))

    def answer(self, block: int, result: Any) -> dict[str, pa.Array]:
        """On a worker: columns of `SCHEMA` for the result of a block, left in a file where that is `here`."""
        import pyarrow as pa

        pickled = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
        if self.here:
            pickled = _leave(pickled, self._left(block))
        return {"block": pa.array([block]), "result": pa.array([pickled], pa.binary())}

    def taken(self, block: int) -> bytes:
        """The pickled result of a block that was left; it is removed."""
        path = self._left(block)
        content = path.read_bytes()
        path.unlink()
        return content

    def _left(self, block: int) -> Path:
        return self.file.with_name(f"{self.file.name}-{block}")


def _work(batches: Iterator[pa.RecordBatch], shelf: Shelf, total: int, size: int) -> Iterator[pa.RecordBatch]:
    """On a worker: number and result of every block of `batches`."""
    import pyarrow as pa
    from threadpoolctl import threadpool_limits

    kernel, shared = shelf.opened()
    with threadpool_limits(1, user_api="blas"):  # Spark has a worker a core.
        for batch in batches:
            for block in batch.column(0).to_pylist():
                result = kernel(shared, block * size, min((block + 1) * size, total))
                yield pa.RecordBatch.from_pydict(shelf.answer(block, result))


def _leave(content: bytes, path: Path) -> bytes:
    """Write a file and return nothing."""
    # A task may run twice at once: the file that has its name is whole at every moment.
    with NamedTemporaryFile(dir=path.parent, delete=False) as temporary:
        temporary.write(content)
    Path(temporary.name).replace(path)
    return b""


def _follow(
    context: SparkContext,
    group: str,
    answer: Future[pa.Table],
    total: int,
    advance: Callable[[int], None],
) -> None:
    """Until there is an answer, tell `advance` how many of `total` were done since it was told last."""
    tracker, before = context.statusTracker(), 0
    while not wait([answer], LOOK_SECONDS).done:
        jobs = (tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group))
        found = (tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds)
        stages = [stage for stage in found if stage]
        tasks = sum(stage.numTasks for stage in stages)
        done = total * sum(stage.numCompletedTasks for stage in stages) // max(tasks, 1)
        if done > before:
            advance(done - before)
            before = done


def cause(text: str) -> str:
    """Why a job failed, in a line, given all that Spark said."""
    if raised := re.findall(r"Traceback \(most recent call last\):\n(?:\s.*\n)*(\S.*)", text):
        return str(raised[-1])
    if failures := re.findall(r"most recent failure: Lost task .*?\): (.*)", text):
        reason = str(failures[-1]).removeprefix("org.apache.spark.SparkException: ")
        return reason.partition(" Consider setting")[0]
    return next((line for line in text.splitlines() if line.strip()), "it did not say why")
