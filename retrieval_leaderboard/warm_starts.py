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
from retrieval_leaderboard.evaluation.models import earlier, registry, saving, settings
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import named, processes, records, reload, runner
from retrieval_leaderboard.evaluation.runs.loaded import Loaded
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary, RunRecord
from retrieval_leaderboard.support import compute, progress
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

    def settings(self, given: dict[str, Any], n_items: int) -> dict[str, Any]:
        """Those of the run, with `given` ones of the command line, for a catalog of `n_items`.

        Raises:
            InputError: another value than the run's, but for the setting that counts passes.
        """
        then, passes = self.record.resolved, self.model.passes
        assert then is not None
        read = settings.read(self.model, given, "--set")
        given = {key: read[key] for key in given if key in read}
        name = self.record.model
        for key, value in given.items():
            if key != passes and value != then.get(key):
                may = f"; only {name}.{passes} may differ" if passes else ""
                raise InputError(
                    f"--set {name}.{key}={value}: {self.folder} was fitted with {key}={then.get(key)}, and a "
                    f"warm start keeps it{may}: leave it out, or fit anew without --warm-start"
                )
        begun = self.model.in_catalog(then, self.record.dataset.items, n_items)
        if not self.record.warm_start:
            begun = with_fewer_passes(self.model, begun)
        asked = {passes: given[passes]} if passes in given else {}
        return settings.resolve(self.model, begun | asked, "--set")


def with_fewer_passes(model: type[Retriever], full: dict[str, Any]) -> dict[str, Any]:
    """The resolved settings of a fit from scratch, with the passes of a warm start."""
    passes = {model.passes: max(1, math.ceil(full[model.passes] / SHARE))} if model.passes else {}
    return full | passes


def read(options: argparse.Namespace) -> list[Earlier]:
    """The runs that `--warm-start` names; [] without it.

    Raises:
        InputError: options that it replaces, or a run that cannot be gone on from.
    """
    paths = named.folders(options.warm_start or [], "--warm-start")
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
        raise InputError(f"--warm-start {folder} is no finished run: {named.instead_of(folder)}")
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
            f"--warm-start {folder}: {record.model} cannot go on from a run, {', '.join(able)} can: fit it "
            "anew without --warm-start"
        )
    if reason := settings.build(model, record.resolved).lacking_warm_start():
        raise InputError(f"--warm-start {folder}: {reason}")
    return Earlier(folder, record, source, model)


def jobs(
    runs: list[Earlier], options: argparse.Namespace, dataset: Dataset, on: compute.Compute
) -> list[runner.Job]:
    """A job on `dataset` for each of `runs`.

    Raises:
        InputError: settings that may not differ, the data of the run itself, data that is no longer what the
            run learned from, or `dataset` lacks what the model needs.
    """
    given = settings.parse_assignments(options.set)
    loaded = Loaded(lambda about: _data(about, options))
    then = [_then(run, dataset, loaded) for run in runs]
    for each in {each.fingerprint: each for each in then}.values():
        progress.say(changes(each, dataset))
    return [
        runner.Job(
            source=run.source,
            settings=run.settings(given.get(run.record.model, {}), len(dataset.item_ids)),
            seed=run.record.seed,
            k=options.k,
            device=on.device,
            precision=on.precision,
            provenance=Provenance("warm start", note=f"from {run.folder.name}"),
            also=tuple(options.also),
            engine=chosen.engine(options),
            earlier=runner.EarlierRun(run.folder.resolve(), run.record.row_stem, data),
        )
        for run, data in zip(runs, then, strict=True)
    ]


def _data(about: DatasetSummary, options: argparse.Namespace) -> Dataset:
    """The data that a run learned from, as its record remembers it."""
    place = argparse.Namespace(**dict.fromkeys(vars(options)) | {"memory": options.memory})
    advice = "put it back there: a warm start compares the new data with what the run learned from"
    return in_files(reload.dataset(about, [], place, advice))


def _then(run: Earlier, now: Dataset, loaded: Loaded) -> Dataset:
    """What a run learned from."""
    if run.record.fingerprint == now.fingerprint:
        raise InputError(
            f"--warm-start {run.folder}: {now.name} is the data that it learned from: give data with what "
            "came since by --dataset"
        )
    if lacks := run.model.lacks(saving.values(run.folder), now.train_valid):
        raise InputError(f"--warm-start {run.folder}: {lacks}")
    found = loaded.of(run.record, run.folder)
    if found is None:
        raise InputError(
            f"--warm-start {run.folder}: a warm start compares today's data with what the run learned from, "
            "which is no longer there: keep each state of a log under a name of its own"
        )
    return found


def changes(then: Dataset, now: Dataset) -> str:
    """Which users, items and interactions of `then` there are in `now`, in one line.

    Raises:
        InputError: they have no item or no interaction in common, or `then` has what `now` holds out.
    """
    matched = earlier.Earlier.of(None, then, now)
    if not (matched.item >= 0).any():
        raise InputError(
            f"--warm-start: no item of {then.name} is among those of {now.name}, so that nothing can go on: "
            "give data with the same ids by --dataset, or fit anew without --warm-start"
        )
    found = matched.changes(now.train_valid)
    if found.gone == len(then.train_valid):
        raise InputError(
            f"--warm-start: {now.name} has none of the interactions that the run learned from: give a log "
            "that has grown, the earlier part included, or fit anew without --warm-start"
        )
    if held_out := matched.held_out(now):
        raise InputError(
            f"--warm-start: {then.name} as the run learned from it has {held_out:,} of the interactions that "
            f"{now.name} holds out for its test, so that results would be too good: divide both by the same "
            "protocol, the later one no earlier in time, or fit anew without --warm-start"
        )
    sides = {"users": (matched.user, then.user_ids), "items": (matched.item, then.item_ids)}
    told = (f"{name}: {_carried(codes, len(ids))}" for name, (codes, ids) in sides.items())
    return (
        f"since {then.title or then.name}: {'; '.join(told)}; interactions: {found.new:,} new, "
        f"{found.gone:,} gone"
    )


def _carried(codes: earlier.Codes, before: int) -> str:
    """How many of today's have a code of then, of `before` codes."""
    kept = int((codes >= 0).sum())
    return f"{kept:,} carried over, {len(codes) - kept:,} new, {before - kept:,} gone"
