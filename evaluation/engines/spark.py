"""The engine that deals blocks out to Spark's workers, which run the same kernels."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
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
        context = self._session.sparkContext
        here = spark.is_here(context.master)
        file = Path(self._folder, f"shared-{os.getpid()}-{next(self._numbers)}")
        pack(file, (kernel, shared), here)
        if not here:
            context.addFile(str(file))
        work = partial(_work, file=file if here else Path(file.name), total=total, size=size, here=here)
        with progress.bar(label, total, unit) as advance:
            table = self._collected(work, -(-total // size), label, lambda done: advance(done * size))
        self.bytes_shared += file.stat().st_size
        if here:
            file.unlink()  # Elsewhere, a machine that joins later asks for it.
        blocks = table["block"].to_numpy()
        for row in blocks.argsort():
            pickled = _taken(_left(file, blocks[row])) if here else table["result"][int(row)].as_buffer()
            self.bytes_returned += len(pickled)
            yield pickle.loads(pickled)

    def _collected(self, work: Any, blocks: int, label: str, advance: Callable[[int], None]) -> pa.Table:
        """What `work` gives for all blocks, while `advance` is told how many more are done."""
        context = self._session.sparkContext
        tasks = min(blocks, TASKS_A_CORE * context.defaultParallelism)
        group = f"{label} {next(self._numbers)}"

        def collect() -> pa.Table:
            context.setJobGroup(group, label)
            return self._session.range(0, blocks, 1, tasks).mapInArrow(work, SCHEMA).toArrow()

        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(collect)
            try:
                _follow(context, group, answer, lambda done: advance(done * blocks // tasks))
                return answer.result()
            except Exception as error:
                reason = spark.starved() or f"Spark gave up: {cause(str(error))}"
                raise InputError(f"{label}: {reason}") from error
            except BaseException:
                context.cancelJobGroup(group)
                raise


def _work(
    batches: Iterator[pa.RecordBatch], file: Path, total: int, size: int, here: bool
) -> Iterator[pa.RecordBatch]:
    """On a worker: number and pickled result of every block of `batches`; nothing where it is left `here`."""
    import pyarrow as pa
    from threadpoolctl import threadpool_limits

    if not file.is_absolute():
        from pyspark import SparkFiles

        file = Path(SparkFiles.get(str(file)))
    kernel, shared = unpack(file)
    with threadpool_limits(1, user_api="blas"):  # Spark has a worker a core.
        for batch in batches:
            for block in batch.column(0).to_pylist():
                result = kernel(shared, block * size, min((block + 1) * size, total))
                pickled = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
                if here:
                    pickled = _leave(pickled, _left(file, block))
                yield pa.record_batch(
                    [pa.array([block]), pa.array([pickled], pa.binary())], ["block", "result"]
                )


def _left(file: Path, block: int) -> Path:
    """Where the result of a block lies, beside the shared arrays."""
    return file.with_name(f"{file.name}-{block}")


def _leave(content: bytes, path: Path) -> bytes:
    """Write a file and return nothing."""
    # A task may run twice at once: the file that has its name is whole at every moment.
    with NamedTemporaryFile(dir=path.parent, delete=False) as temporary:
        temporary.write(content)
    Path(temporary.name).replace(path)
    return b""


def _taken(path: Path) -> bytes:
    content = path.read_bytes()
    path.unlink()
    return content


def _follow(
    context: SparkContext, group: str, answer: Future[pa.Table], advance: Callable[[int], None]
) -> None:
    """Until there is an answer, tell `advance` of tasks that were done since it was told last."""
    tracker, before = context.statusTracker(), 0
    while not wait([answer], LOOK_SECONDS).done:
        jobs = (tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group))
        stages = (tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds)
        done = sum(stage.numCompletedTasks for stage in stages if stage)
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
