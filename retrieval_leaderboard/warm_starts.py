"""`--warm-start RUN`: which runs are gone on from, and what each of them comes to as a job."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval_leaderboard import chosen
from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.prepared.in_files import in_files
from retrieval_leaderboard.evaluation.models import registry, saving, settings
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import processes, records, reload, runner
from retrieval_leaderboard.evaluation.runs.loaded import Loaded
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary, RunRecord
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import InputError

SHARE = 5
"""A warm start passes over the data this often more rarely than the fit that it goes on from"""
REPLACED = ("models", "model", "seeds", "tune", "budget", "defaults", "nproc", "tables")
"""Options that have no meaning beside a run that says it, or whose model one process trains"""


@dataclass(frozen=True)
class Earlier:
    """A finished run, and the class of its model."""

    folder: Path
    record: RunRecord
    source: runner.ModelSource
    model: type[Retriever]

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Those of the run, with `given` ones of the command line.

        Raises:
            InputError: another value than the run's, but for the setting that counts passes.
        """
        then, passes = self.record.resolved, self.model.passes
        assert then is not None
        read = settings.read(self.model, given, "--set")
        given = {key: read[key] for key in given}
        name = self.record.model
        for key, value in given.items():
            if key != passes and value != then.get(key):
                may = f"; only {name}.{passes} may differ" if passes else ""
                raise InputError(
                    f"--set {name}.{key}={value}: {self.folder} was fitted with {key}={then.get(key)}, and a "
                    f"warm start keeps it{may}: leave it out, or fit anew without --warm-start"
                )
        begun = then if self.record.warm_start else warm_settings(self.model, then)
        return settings.resolve(self.model, begun | given, "--set")


def warm_settings(model: type[Retriever], full: dict[str, Any]) -> dict[str, Any]:
    """The resolved settings of a fit from scratch, with the passes of a warm start."""
    passes = {model.passes: max(1, math.ceil(full[model.passes] / SHARE))} if model.passes else {}
    return full | passes


def read(options: argparse.Namespace) -> list[Earlier]:
    """The runs that `--warm-start` names; [] without it.

    Raises:
        InputError: options that it replaces, or a run that cannot be gone on from.
    """
    paths = options.warm_start or []
    beside = [name for name in REPLACED if getattr(options, name)]
    if paths and beside:
        raise InputError(
            f"--{beside[0]} and --warm-start: the run says which model with which settings and seed goes on, "
            "in one process; leave one of them out"
        )
    if paths and processes.current().world > 1:
        raise InputError("--warm-start trains in one process: start it without torchrun")
    return [_read(path) for path in paths]


def _read(folder: Path) -> Earlier:
    record = records.read(folder)
    if record is not None and not record.is_done:
        raise InputError(f"--warm-start {folder} failed when it was run: leave it out, or run it again")
    if record is None:
        raise InputError(
            f"--warm-start {folder} holds no finished run: give a folder of results/<dataset>/runs"
        )
    if not all((folder / name).is_file() for name in (saving.STATE, saving.WEIGHTS)) or not record.resolved:
        raise InputError(
            f"--warm-start {folder} has no saved model, which git does not keep: make the run here, by its "
            "command with --force, and go on from that"
        )
    if not records.is_whole(folder, record, saving.STATE, saving.WEIGHTS):
        raise InputError(f"--warm-start {folder} is damaged: make the run anew, and go on from that")
    source = runner.ModelSource(record.model, record.plugin)
    model = source.load()
    if source.code() != record.code:
        raise InputError(f"--warm-start {folder}: {source.plugin} was edited since: fit it anew")
    if not model.has_warm_start():
        able = [name for name in registry.names() if registry.get(name).has_warm_start()]
        raise InputError(
            f"--warm-start {folder}: {record.model} has no warm start; {', '.join(able)} have one: "
            f"fit {record.model} anew"
        )
    if reason := settings.build(model, record.resolved).lacking_warm_start():
        raise InputError(f"--warm-start {folder}: {reason}")
    return Earlier(folder, record, source, model)


def jobs(
    runs: list[Earlier], options: argparse.Namespace, dataset: Dataset, on: compute.Compute
) -> list[runner.Job]:
    """A job on `dataset` for each of `runs`.

    Raises:
        InputError: settings that may not differ, the data of the run itself, or data that is no longer what
            the run learned from.
    """
    given = settings.parse_assignments(options.set)
    then = Loaded(lambda about: _data(about, options))
    return [
        runner.Job(
            source=run.source,
            settings=run.settings(given.get(run.record.model, {})),
            seed=run.record.seed,
            k=options.k,
            device=on.device,
            precision=on.precision,
            provenance=Provenance("warm start", note=f"from {run.folder.name}"),
            also=tuple(options.also),
            engine=chosen.engine(options),
            earlier=runner.EarlierRun(run.folder.resolve(), run.record.row_stem, _then(run, dataset, then)),
        )
        for run in runs
    ]


def _data(about: DatasetSummary, options: argparse.Namespace) -> Dataset:
    """The data that a run learned from, as its record remembers it."""
    place = argparse.Namespace(**dict.fromkeys(vars(options)) | {"memory": options.memory})
    return in_files(reload.dataset(about, [], place))


def _then(run: Earlier, now: Dataset, loaded: Loaded) -> Dataset:
    """What a run learned from."""
    if run.record.fingerprint == now.fingerprint:
        raise InputError(
            f"--warm-start {run.folder}: {now.name} is the data that it learned from: give data with what "
            "came since by --dataset"
        )
    found = loaded.of(run.record, run.folder)
    if found is None:
        raise InputError(
            f"--warm-start {run.folder}: a warm start compares today's data with what the run learned from, "
            "which is no longer there: keep each state of a log under a name of its own"
        )
    return found
