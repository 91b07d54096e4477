"""One run: one dataset, model, settings and seed, in its own process, kept in its own folder."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation import engines, harness
from retrieval_leaderboard.evaluation.harness import Evaluation
from retrieval_leaderboard.evaluation.models import outside, registry, settings
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import environment, isolation, processes, records
from retrieval_leaderboard.evaluation.runs.provenance import DEFAULTS, Provenance
from retrieval_leaderboard.evaluation.runs.record import Costs, DatasetSummary, Identity, Result, RunRecord
from retrieval_leaderboard.evaluation.runs.usage import Usage
from retrieval_leaderboard.support import compute, progress, ranks
from retrieval_leaderboard.support.storage.files import atomic_folder, writing
from retrieval_leaderboard.support.system import memory


@dataclass(frozen=True)
class CheckpointPolicy:
    """How the state of long training is kept."""

    minutes: float = 10.0
    """Between two checkpoints"""
    resume: bool = False
    """Whether to go on from the checkpoint of an interrupted run"""


@dataclass(frozen=True)
class ModelSource:
    """Where a model's class is, so that another process finds it too."""

    name: str
    plugin: str = ""
    """ "path/to/file.py:ClassName" or "package.module:ClassName"; "" for a model of the suite"""

    def load(self) -> type[Retriever]:
        """The class; InputError where it is not there."""
        return outside.load(self.plugin) if self.plugin else registry.get(self.name)

    def code(self) -> str:
        """Hash of a plug-in's file: an edited model is another model. "" for a registered one."""
        return outside.code(self.plugin) if self.plugin else ""


@dataclass(frozen=True)
class EarlierRun:
    """A finished run whose model a warm start goes on from."""

    folder: Path
    stem: str
    """`Identity.row_stem` of the run"""
    dataset: Dataset = field(compare=False)
    """what it learned from"""


@dataclass(frozen=True)
class Job:
    """What a run is to do."""

    source: ModelSource
    settings: dict[str, Any]
    """every setting of the model"""
    seed: int
    k: int
    device: str
    precision: str
    provenance: Provenance = DEFAULTS
    """how the settings came about"""
    also: tuple[int, ...] = ()
    """other k to have metrics of"""
    tables: str = compute.Compute.tables
    """where several processes train, the rows of tables that each has; it changes no result"""
    engine: engines.Choice = engines.THREADS
    """what does the blocks; no part of the identity, for it changes no result"""
    earlier: EarlierRun | None = None
    """what it goes on from; None for a fit from scratch"""

    def identity(self, dataset: Dataset) -> Identity:
        """What makes two runs the same run."""
        return Identity(
            fingerprint=dataset.fingerprint,
            k=self.k,
            model=self.source.name,
            code=self.source.code(),
            settings=self.settings,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
            warm_start=self.earlier.stem if self.earlier else "",
        )

    def folder(self, dataset: Dataset, board: Path) -> Path:
        """Where the run is kept, under the board's folder."""
        return board / "runs" / self.identity(dataset).stem

    def checkpoints(self, dataset: Dataset, board: Path) -> Path:
        """Where its state is kept while it is underway."""
        return board / "checkpoints" / self.identity(dataset).stem


def is_done(folder: Path, also: Iterable[int] = ()) -> bool:
    """Whether the run in `folder` finished here, is as it was written, and has metrics at `also`.

    A record without its lists came with the project, from another machine.
    """
    return (folder / records.LISTS).is_file() and _is_good(folder, also)


def _is_good(folder: Path, also: Iterable[int] = ()) -> bool:
    """Whether `folder` holds a finished run, of whatever machine, that is as it was written."""
    record = records.read(folder)
    if record is None or not record.is_done or not records.is_whole(folder, record):
        return False
    return {str(k) for k in also} <= record.measured.at.keys()


def update_provenance(job: Job, folder: Path) -> None:
    """Make the record of a finished run say how `job` came to its settings, as `Provenance.beside` has it."""
    record = records.read(folder)
    if record is not None and record.provenance != (made := _provenance(job, record)):
        records.change(folder, replace(record, provenance=made))


def _provenance(job: Job, kept: RunRecord | None) -> Provenance:
    """Of `job`, unless that of the finished run `kept` in its place stands above it."""
    return job.provenance.beside(kept.provenance) if kept and kept.is_done else job.provenance


def run(
    job: Job, dataset: Dataset, board: Path, label: str, quiet: bool, policy: CheckpointPolicy
) -> RunRecord:
    """Do `job` in a process of its own and keep its folder, whole or not at all.

    A run that fails does not take the place of one that was done; one that is done has metrics at every k
    that the one before it had.

    Returns:
        The record, with a result, or the reason why there is none.

    Raises:
        UnwritableError: there is no room, or no right, to keep it; nothing is said of the model then.
    """
    folder, checkpoints = job.folder(dataset, board), job.checkpoints(dataset, board)
    about = job.identity(dataset).key
    summary = DatasetSummary.of(dataset)
    before = records.read(folder)
    made = _provenance(job, before)
    if before is not None and before.is_done:
        job = replace(job, also=tuple(dict.fromkeys((*job.also, *map(int, before.measured.at)))))
    record = RunRecord(**about, dataset=summary, provenance=made, plugin=job.source.plugin)
    with suppress(_StoredRunStays), atomic_folder(folder) as scratch:
        try:
            work = Work(job, dataset, scratch, label, quiet, checkpoints, policy)
            resolved, result = processes.call(job.source.load(), execute, work)
            record = replace(record, resolved=resolved, result=result)
        except isolation.Crash as crash:
            kept = "; --resume goes on from its last checkpoint" if checkpoints.is_dir() else ""
            progress.say(f"{label}: failed: {crash}{kept}\n{crash.trace}".rstrip())
            record = replace(record, reason=str(crash))
        record = replace(
            record,
            date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            versions=environment.versions(),
            commit=environment.git_commit(),
        )
        if not record.is_done and _is_good(folder):
            progress.say(f"{label}: the run that was done before is kept")
            raise _StoredRunStays
        records.write(scratch, record)
    if record.is_done:
        _remove(checkpoints)
    return record


class _StoredRunStays(Exception):
    """A failed run leaves a finished one where it is."""


@dataclass(frozen=True)
class Work:
    """A job and all that its process needs to do it."""

    job: Job
    dataset: Dataset
    folder: Path
    """Where lists and weights go"""
    label: str
    quiet: bool
    checkpoints: Path
    policy: CheckpointPolicy


def execute(work: Work) -> tuple[dict[str, Any], Result] | None:
    """Fit, recommend and measure, in the run's own process: resolved settings, and what came out.

    Of several processes all fit, and that of rank 0 does the rest; the others return None.
    """
    job, dataset, label = work.job, work.dataset, work.label
    threads = compute.configure(
        job.device, job.precision, tables=job.tables
    ).threads  # They come with the environment.
    engines.start(job.engine)
    ranks.start(job.device)
    model_class = job.source.load()
    progress.configure(quiet=True)
    with_weights, earlier = dataset.train_valid.weight is not None, job.earlier
    harness.warm_up(model_class, job.settings, with_weights, again=earlier is not None)
    model = settings.build(model_class, job.settings)
    model.keep_checkpoints(work.checkpoints, work.policy.minutes, work.policy.resume)

    progress.configure(work.quiet or not ranks.is_main())
    progress.say(f"{label}: fitting")
    started, before = time.perf_counter(), Usage.now()
    if earlier is None:
        harness.fit(model, dataset, job.seed)
    else:
        harness.warm_start(model, model_class.load(earlier.folder), earlier.dataset, dataset, job.seed)
    fit_seconds = time.perf_counter() - started
    if work.policy.resume:
        # The log of choosing is that of the earlier run, where there is one.
        logs = [model.training_log] + [model.choosing_log] * (earlier is None)
        fit_seconds = max(fit_seconds, seconds_of(*logs))
    elsewhere = Usage.now().cores_elsewhere(before, ranks.local_world())
    others, world, main = _peaks_of_others(), ranks.world(), ranks.is_main()
    ranks.stop()
    if not main:
        return None
    progress.say(f"{label}: fitted in {fit_seconds:.1f} s; ranking {len(dataset.test):,} queries")
    evaluation = harness.evaluate(model, dataset, job.k, job.also)
    with writing(work.folder):
        save_lists(evaluation, work.folder)
        model.save(work.folder)
    costs = Costs(
        fit_seconds=round(fit_seconds, 3),
        recommend_seconds=round(evaluation.recommend_seconds, 3),
        queries_per_second=round(len(dataset.test) / evaluation.recommend_seconds, 1),
        peak_rss_mib=round(memory.peak_mib() + others[0], 1),
        peak_gpu_mib=round(compute.device().peak_mib() + others[1], 1),
        parameters=None if model.parameters is None else int(model.parameters),
        cores_elsewhere=round(elsewhere, 2),
        threads=threads,
        processor=environment.hardware(),
        ranks=world,
        engine=engines.current().name,
    )
    return model.resolve(dataset.train, dataset.valid), Result(
        metrics=evaluation.metrics,
        slices=tuple(evaluation.slices),
        costs=costs,
        reaches_cold_items=bool(model.reaches_cold_items),
        propagates=bool(model.propagates),
        without_effect=tuple(sorted(model.without_effect(dataset.train, dataset.valid))),
        training=tuple(model.training_log),
        choosing=tuple(model.choosing_log),
        at={str(k): metrics for k, metrics in evaluation.at.items()},
        ignores_weights=with_weights and not model.uses_weights,
        curve=evaluation.curve,
    )


def seconds_of(*logs: Sequence[Mapping[str, float]]) -> float:
    """Seconds of all epochs of the different logs, those before an interruption included."""
    different = [log for at, log in enumerate(logs) if log not in logs[:at]]
    return sum(
        epoch.get(name, 0.0) for log in different for epoch in log for name in ("seconds", "valid_seconds")
    )


def _peaks_of_others() -> npt.NDArray[np.float64]:
    """float64[2]: peak memory in MiB, main and of GPUs, of the processes of other ranks together."""
    ours = np.array([memory.peak_mib(), compute.device().peak_mib()])
    return ranks.sum_over(ours) - ours


def _remove(checkpoints: Path) -> None:
    """Remove the checkpoint of a run that is done, and the folder of checkpoints where it was the last."""
    shutil.rmtree(checkpoints, ignore_errors=True)
    with suppress(OSError):
        checkpoints.parent.rmdir()


def save_lists(evaluation: Evaluation, folder: Path) -> None:
    """Write the lists, and each query's metrics, into a run's folder."""
    arrays: dict[str, Any] = {"items": evaluation.items, **evaluation.per_query}
    np.savez(folder / records.LISTS, **arrays)
