"""What the command does: settings are resolved, models run, tables written."""

from __future__ import annotations

import argparse
import shutil
import textwrap
import time
from pathlib import Path

from retrieval_leaderboard import chosen, warm_starts
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.datasets.own import options as own_data
from retrieval_leaderboard.datasets.own.spec import TABLES
from retrieval_leaderboard.datasets.prepared.in_files import in_files
from retrieval_leaderboard.datasets.splits import options as split
from retrieval_leaderboard.evaluation import engines, harness
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.models.fields import AUTO
from retrieval_leaderboard.evaluation.reports import leaderboard, terminal
from retrieval_leaderboard.evaluation.runs import (
    configs,
    processes,
    refusals,
    remaining_time,
    rescore,
    runner,
)
from retrieval_leaderboard.evaluation.tuning import search
from retrieval_leaderboard.evaluation.tuning.budget import Budget
from retrieval_leaderboard.evaluation.tuning.spec import SearchSpec
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import tidy
from retrieval_leaderboard.support.storage.locks import locked

DEFAULT_DATASET = "aliec-sim"
BUDGET_SEEDS = 5
"""Seeds of the final fits after a search in a budget of time"""


def run(options: argparse.Namespace) -> int:
    """Every run that is not done yet, then the tables; the exit code."""
    if options.deterministic:
        compute.make_deterministic()
    engines.ask(chosen.engine(options))
    earlier = warm_starts.read(options)
    sources = [run.source for run in earlier] or chosen.sources(options)
    _check_configs_dir(options)
    chosen.check_settings(options, sources)
    chosen.check_grouped(options, sources)
    _check_search(options, options.split_seed)
    compute_config = _configured(options)
    _choose_processes(options, sources, compute_config)
    for source in sources:
        chosen.check_plugin(source)
    dataset, asked = _load(options)
    processes.current().lead(dataset)
    _check_search(options, dataset.split_seed)  # A dataset file may have one.
    _show(dataset)
    options.k, *options.also = harness.lengths(options.k, dataset)
    timed = bool(options.budget)
    options.seeds = options.seeds or (BUDGET_SEEDS if timed else 1)
    if earlier:
        jobs = warm_starts.jobs(earlier, options, dataset, compute_config)
    else:
        jobs = chosen.jobs(options, sources, dataset, compute_config, options.defaults or timed)
    refusals.check_data(jobs, dataset.train_valid)
    board = options.results_dir / dataset.name
    progress.say(_banner(dataset, asked))
    waiting = (
        f"another command is working in {board}: waiting for it, because concurrent runs would skew timings"
    )
    failed = False
    with locked(board, waiting):
        tidy(board)
        if _searches(options):
            failed = _search(jobs, dataset, board, options)
            jobs = chosen.jobs(options, sources, dataset, compute_config, from_defaults=False)
        failed |= _run(jobs, dataset, board, options)
        found = leaderboard.derive(board)
        files = found.write(options.report)
    print(_banner(dataset, asked))
    terminal.show(found.report(dataset.fingerprint, options.k))
    for file in [*files, found.page(dataset.fingerprint, options.k)]:
        print(file)
    return 1 if failed else 0


def data(options: argparse.Namespace) -> Dataset:
    """The dataset, for a command that follows another one, as `Torchrun.follow` says."""
    _configured(options)
    return _load(options)[0]


def _configured(options: argparse.Namespace) -> compute.Compute:
    tables = options.tables or compute.Compute.tables
    found = compute.configure(options.device, options.precision, options.threads, tables)
    if options.compile:
        compute.make_compiled()
    return found


def _choose_processes(
    options: argparse.Namespace, sources: list[runner.ModelSource], on: compute.Compute
) -> None:
    """Refuse more processes than can be, and have models trained by those asked for."""
    team = processes.current()
    if team.by_torchrun and options.nproc:
        raise InputError(f"--nproc {options.nproc}: torchrun has started the processes; leave --nproc out")
    if not team.by_torchrun:
        team = processes.Local(options.nproc or 1)
    if team.world == 1 and options.tables:
        raise InputError(f"--tables {options.tables} is of several processes: add --nproc N, or leave it out")
    if team.world > 1 and options.compile:
        raise InputError(f"--compile: {team.world} processes exchange rows within a step; leave it out")
    if team.world > 1:
        processes.check(team, on.device)
        if not any(source.load().distributed for source in sources):
            progress.say(f"none of these models is trained by several processes: {team.world} are not used")
    processes.choose(team)


def _searches(options: argparse.Namespace) -> bool:
    return bool(options.tune or options.budget)


def _search(jobs: list[runner.Job], dataset: Dataset, board: Path, options: argparse.Namespace) -> bool:
    """Search every model's settings and write them into the dataset's config; whether a search found none."""
    if not len(dataset.valid):
        raise InputError(f"{_option(options)}: {dataset.heading} has no validation queries to choose on")
    budget = Budget(options.budget or None, options.tune or None)
    given = settings.parse_assignments(options.set)
    specs = [
        SearchSpec(job, dataset, frozenset(given.get(job.source.name, {}))) for job in jobs if job.seed == 0
    ]
    config, failed = options.configs_dir / f"{dataset.name}.yaml", False
    able = [each for each in specs if not refusals.lacking_data(each.job, dataset.train)]
    for spec in able:
        name = spec.job.source.name
        if not spec.space():
            progress.say(f"{name}: not searched, for it has no settings to search here")
            continue
        tuned = search.tune(spec, board, budget, options.force, leaderboard.shipped_beside(board))
        failed |= tuned is None
        if tuned is not None:
            configs.write(config, configs.section(dataset), name, tuned)
            progress.say(f"{name}: {tuned.provenance.summary()}; written to {config}")
    return failed


def _option(options: argparse.Namespace) -> str:
    return "--budget" if options.budget else "--tune"


def _run(jobs: list[runner.Job], dataset: Dataset, board: Path, options: argparse.Namespace) -> bool:
    failed = False
    for job in () if options.force else jobs:
        rescore.measure_at(job.folder(dataset, board), job.also, dataset)
    pending = [
        job for job in jobs if options.force or not runner.is_done(job.folder(dataset, board), job.also)
    ]
    for job in pending:
        if sentence := settings.build(job.source.load(), job.settings).lacking():
            raise InputError(sentence)
    refusals.check(pending, dataset)
    _tell_of_features(pending, dataset)
    policy = runner.CheckpointPolicy(options.checkpoint_minutes, options.resume)
    ahead = remaining_time.RemainingTime.of(board, dataset.fingerprint)
    for number, job in enumerate(jobs, start=1):
        label = f"[{number}/{len(jobs)}] {job.source.name}, seed {job.seed}"
        if job not in pending:
            progress.say(f"{label}: done before; --force runs it again")
            runner.update_provenance(job, job.folder(dataset, board))
            continue
        if left := ahead.left(pending[pending.index(job) :]):
            progress.say(f"{label}: {left}")
        started = time.perf_counter()
        record = runner.run(job, dataset, board, label, options.quiet, policy)
        ahead.add(job, record, time.perf_counter() - started)
        failed |= not record.is_done
        leaderboard.derive(board)
    return failed


def _tell_of_features(jobs: list[runner.Job], dataset: Dataset) -> None:
    """Say which models take the features that the data has by default, and which would, where no search has
    left them out.
    """
    if not dataset.train.has_features:
        return
    taking: list[str] = []
    without: list[str] = []
    one_of_each = {job.source.name: job for job in jobs}
    for name, job in one_of_each.items():
        given = job.settings.get("features")
        if (given != AUTO and given is not False) or job.provenance.trials:
            continue
        model = settings.build(job.source.load(), job.settings)
        (taking if model.resolve(dataset.train, dataset.valid)["features"] else without).append(name)
    for told, names, other in (
        ("with features, as items have few interactions", taking, "false leaves them out"),
        ("without features, though the data has some", without, "true takes them"),
    ):
        if names:
            progress.say(f"{told}: {', '.join(names)}; --set {names[0]}.features={other}")


def _load(options: argparse.Namespace) -> tuple[Dataset, str]:
    """The dataset, and the name that was asked for."""
    own = own_data.given(options)
    asked = options.dataset or (None if own.keys() & set(TABLES) else [DEFAULT_DATASET])
    dataset = load(
        asked,
        options.data_dir,
        **split.given(options),
        fallback=not options.no_fallback,
        scale=options.scale,
        memory=options.memory,
        engine=options.engine,
        **own,
    )
    return in_files(dataset), " ".join(asked or [dataset.name])


def _show(dataset: Dataset) -> None:
    """What the data is, before anything is fitted to it."""
    if dataset.profile is not None:
        lines = [*dataset.profile.lines(), f"validation: {dataset.validation}"]
        lines += [f"warning: {each}" for each in dataset.profile.warnings]
        progress.say("\n  ".join([dataset.heading, *lines]))


def _check_configs_dir(options: argparse.Namespace) -> None:
    """Refuse a folder of settings that is not there, but for the one that a search makes."""
    folder = options.configs_dir
    made = _searches(options) or folder == configs.OWN_CONFIGS
    if not folder.is_dir() and (folder.exists() or not made):
        raise InputError(
            f"--configs-dir {folder}: there is no such folder; name one, or leave the option out"
        )


def _check_search(options: argparse.Namespace, split_seed: int | None) -> None:
    if not _searches(options):
        return
    if options.budget and options.tune:
        raise InputError(
            "--budget ends a search by time and --tune by a number of fits, and the rows of --budget alone "
            "are official: leave one out"
        )
    if split_seed:
        seed = "--split-seed" if options.split_seed else "split_seed of the dataset file"
        raise InputError(
            f"{_option(options)}: leave {seed} out; another split learns from what is test in split 0"
        )
    if options.defaults:
        raise InputError(f"{_option(options)} finds settings and --defaults ignores them: leave one out")


def _banner(dataset: Dataset, asked: str) -> str:
    if not dataset.synthetic:
        return f"{dataset.title or dataset.name}: {dataset.protocol}, fingerprint {dataset.fingerprint}"
    instead = f"NOT {asked.upper()}: " if asked != dataset.name else ""
    text = f"{instead}SYNTHETIC DATA ({dataset.title}). NO NUMBER HERE IS A REAL DATASET'S"
    width = min(len(text), shutil.get_terminal_size().columns)
    return f"{'!' * width}\n{textwrap.fill(text, width)}\n{'!' * width}"
