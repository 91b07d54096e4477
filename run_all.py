"""The leaderboard by one command: `python run_all.py --dataset aliec`."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import textwrap
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import support.python  # noqa: F401  (an older Python gets a sentence)

# isort: split
import baselines  # noqa: F401  (importing registers its models)
import neural
from datasets import Dataset, catalog, load
from datasets import options as own_file
from evaluation import (
    configs,
    contract,
    harness,
    isolation,
    listing,
    outlook,
    registry,
    report,
    runs,
    settings,
    terminal,
    tuning,
)
from support import compute, progress
from support.errors import InputError, in_one_sentence, need, unknown
from support.files import tidy
from support.locks import locked
from support.stopping import interrupting

ROOT = Path(__file__).parent


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0: all runs done, 1: some failed, 2: bad input, 130: stopped."""
    options = _parser().parse_args(arguments)
    progress.configure(options.quiet)
    try:
        if options.list is not None:
            models = [*map(registry.get, registry.names()), *map(registry.load_file, options.model)]
            print(listing.text(options.list, catalog.listing(options.data_dir), models))
            return 0
        with interrupting():
            return leaderboard(options)
    except KeyboardInterrupt:
        kept = (
            f"finished runs and trials are kept in {options.results_dir}; --resume goes on with the training "
            "that was stopped"
        )
        with suppress(OSError):  # The terminal may be what was closed.
            print(f"\nstopped; {kept}", file=sys.stderr)
        return 130


def leaderboard(options: argparse.Namespace) -> int:
    """Every run that is not done yet, then the tables; the exit code."""
    sources = _sources(options)
    _check_configs_dir(options)
    _check_unused(options, sources)
    chosen = compute.configure(options.device, options.precision, options.threads)
    for source in sources:
        _check_plugin(source)
    dataset = _load(options)
    _show(dataset)
    options.k = harness.length(options.k, dataset)
    jobs = _jobs(options, sources, dataset, chosen)
    board = options.results_dir / dataset.name
    progress.say(_banner(dataset, options.dataset))
    waiting = f"another command is working in {board}: waiting for it, because two at once spoil the times"
    failed = False
    with locked(board, waiting):
        tidy(board)
        if options.tune:
            failed = _tune(jobs, dataset, board, options)
            jobs = _jobs(options, sources, dataset, chosen)
        failed |= _run(jobs, dataset, board, options)
        table = report.write(board, dataset.fingerprint, options.k)
    print(_banner(dataset, options.dataset))
    terminal.show(table)
    print(board / report.LEADERBOARD)
    return 1 if failed else 0


def _tune(jobs: list[runs.Job], dataset: Dataset, board: Path, options: argparse.Namespace) -> bool:
    """Choose every model's settings and write them into the dataset's config; whether one had no choice."""
    if dataset.split_seed:
        raise InputError("--tune: leave --split-seed out; another split learns from what is test in split 0")
    if not len(dataset.valid):
        raise InputError(f"--tune: {dataset.heading} has no validation queries to choose settings on")
    budget = tuning.Budget(options.tune, options.tune_minutes)
    given = settings.parse_assignments(options.set)
    questions = [
        tuning.Question(job, dataset, frozenset(given.get(job.source.name, {})))
        for job in jobs
        if job.seed == 0
    ]
    config, failed = options.configs_dir / f"{dataset.name}.yaml", False
    for question in [each for each in questions if each.space()]:
        name = question.job.source.name
        choice = tuning.tune(question, board, budget, options.force, report.shipped_beside(board))
        failed |= choice is None
        if choice is not None:
            configs.write(config, configs.section(dataset), name, choice)
            progress.say(f"{name}: {choice.chosen.told}; written to {config}")
    return failed


def _run(jobs: list[runs.Job], dataset: Dataset, board: Path, options: argparse.Namespace) -> bool:
    failed = False
    waiting = [job for job in jobs if options.force or not runs.is_done(job.folder(dataset, board))]
    ahead = outlook.Outlook.of(board, dataset.fingerprint)
    for number, job in enumerate(jobs, start=1):
        label = f"[{number}/{len(jobs)}] {job.source.name}, seed {job.seed}"
        if job not in waiting:
            progress.say(f"{label}: done before; --force runs it again")
            runs.choose_again(job, job.folder(dataset, board))
            continue
        keeping = runs.Keeping(options.checkpoint_minutes, options.resume)
        if told := ahead.left(waiting[waiting.index(job) :]):
            progress.say(f"{label}: {told}")
        started = time.perf_counter()
        record = runs.run(job, dataset, board, label, options.quiet, keeping)
        ahead.add(job, record, time.perf_counter() - started)
        failed |= record["status"] != "done"
        report.write(board, dataset.fingerprint, options.k)
    return failed


def _sources(options: argparse.Namespace) -> list[runs.ModelSource]:
    names = list(dict.fromkeys(options.models.split(","))) if options.models else []
    if not names and not options.model:
        names = registry.names()
    for name in names:
        registry.get(name)
    if set(names) & set(neural.NAMES):
        need(["torch"], "requirements-torch.txt, or a CUDA build of your own")
    sources = [runs.ModelSource(name) for name in names]
    taken = registry.names()
    for spec in options.model:
        name = registry.load_file(spec).name
        if name in taken:
            raise InputError(f"--model {spec}: the name '{name}' is taken; give the class another one")
        sources.append(runs.ModelSource(name, spec))
    return sources


def _check_plugin(source: runs.ModelSource) -> None:
    if source.plugin:
        try:
            isolation.call(contract.check_source, source)
        except isolation.Crash as crash:
            raise InputError(f"--model {source.plugin} breaks the contract of Retriever: {crash}") from crash


def _load(options: argparse.Namespace) -> Dataset:
    return load(
        options.dataset,
        options.data_dir,
        protocol=options.protocol,
        exclude_seen=options.exclude_seen,
        split_seed=options.split_seed,
        carve=options.carve,
        **own_file.chosen(options),
        stand_in=not options.no_stand_in,
        scale=options.scale,
    )


def _show(dataset: Dataset) -> None:
    """What the data is, before anything is fitted to it."""
    if dataset.profile is not None:
        told = [*dataset.profile.lines(), f"validation: {dataset.validation}"]
        told += [f"warning: {each}" for each in dataset.profile.warnings]
        progress.say("\n  ".join([dataset.heading, *told]))


def _jobs(
    options: argparse.Namespace, sources: list[runs.ModelSource], dataset: Dataset, chosen: compute.Compute
) -> list[runs.Job]:
    layers = configs.layers(options.configs_dir, dataset.name)
    from_command = settings.parse_assignments(options.set)
    known = [*registry.names(), *(source.name for source in sources)]
    given: dict[str, Iterable[str]] = {"--set": from_command}
    for path in layers:
        found = configs.read(path, dataset)
        given[str(path)] = [name for name, choice in found.items() if choice.chosen.by != "tuning"]
    for where, named in given.items():
        for name in named:  # One that was tuned may be a plug-in's.
            if name not in known:
                raise unknown(f"model in {where}", name, known)
    jobs = []
    for source in sources:
        model = source.load()
        choice = configs.resolved(model, layers, dataset)
        values = settings.resolve(model, choice.settings | from_command.get(source.name, {}), "--set")
        if values != choice.settings:
            choice = configs.Choice(values, configs.Chosen("command line"))
        stochastic = settings.build(model, choice.settings).stochastic
        for seed in range(options.seeds if stochastic else 1):
            how = chosen.device, chosen.precision, choice.chosen
            jobs.append(runs.Job(source, choice.settings, seed, options.k, *how))
    return jobs


def _check_configs_dir(options: argparse.Namespace) -> None:
    """Refuse a folder of settings that is not there, but for the one that --tune makes."""
    folder = options.configs_dir
    made = options.tune or folder == configs.SHIPPED / configs.OWN
    if not folder.is_dir() and (folder.exists() or not made):
        raise InputError(
            f"--configs-dir {folder}: there is no such folder; name one, or leave the option out"
        )


def _check_unused(options: argparse.Namespace, sources: list[runs.ModelSource]) -> None:
    """Refuse settings without a meaning of models that are not run, and say that others are not used."""
    given = settings.parse_assignments(options.set)
    unused = given.keys() - {source.name for source in sources}
    for name in sorted(unused & set(registry.names())):
        settings.resolve(registry.get(name), given[name], "--set")
        progress.say(f"--set {name}: not used, for {name} is not among the models of this command")


def _banner(dataset: Dataset, asked: str) -> str:
    if not dataset.synthetic:
        return f"{dataset.title or dataset.name}: {dataset.protocol}, fingerprint {dataset.fingerprint}"
    instead = f"NOT {asked.upper()}: " if asked != dataset.name else ""
    text = f"{instead}SYNTHETIC DATA ({dataset.title}). NO NUMBER HERE IS A REAL DATASET'S"
    width = min(len(text), shutil.get_terminal_size().columns)
    return f"{'!' * width}\n{textwrap.fill(text, width)}\n{'!' * width}"


def _parser() -> argparse.ArgumentParser:
    usage = "python run_all.py [--dataset NAME_OR_FILE] [--models A,B] [options]; --help lists them"
    parser = argparse.ArgumentParser(description=__doc__, usage=usage, allow_abbrev=False)
    add = parser.add_argument
    add("--dataset", default="aliec-sim", metavar="NAME_OR_FILE", help="a name from --list, or your own file")
    add("--models", default="", metavar="A,B", help="registered models to run (default: all)")
    add("--model", action="append", default=[], metavar="FILE.py:CLASS", help="a model of your own")
    add("--protocol", metavar="NAME", help="published, time, next-item, cold-items, leave-last-one or random "
        "(default: the dataset's)")  # fmt: skip
    add("--seeds", type=_count, default=1, metavar="N", help="runs of each model with chance in it")
    add("--split-seed", type=int, default=0, metavar="S", help="seed of everything random in the split")
    add("--carve", metavar="HOW", help="validation of protocol published: draw (rows one by one) or as-test "
        "(one stretch where the source's test rows lie together) (default: the dataset's)")  # fmt: skip
    add("--k", type=_count, default=20, help="length of the lists")
    add("--data-dir", type=Path, default=ROOT / "data", metavar="DIR", help="folder of the datasets")
    add("--results-dir", type=Path, default=report.SHIPPED / report.OWN, metavar="DIR",
        help="folder of the results (default: results/local)")  # fmt: skip
    add("--configs-dir", type=Path, default=configs.SHIPPED / configs.OWN, metavar="DIR",
        help="folder of settings that go before the shipped ones, and of what --tune finds "
        "(default: configs/local)")  # fmt: skip
    add("--device", choices=compute.DEVICES, default="auto")
    add("--precision", choices=compute.PRECISIONS, default="auto", help="of neural training")
    add("--threads", type=_count, metavar="N", help="CPU threads (default: the cores there are, no more than "
        "OMP_NUM_THREADS or a container's CPU quota)")  # fmt: skip
    add("--set", action="append", default=[], metavar="MODEL.KEY=VALUE", help="a setting of a model")
    add("--tune", type=_count, default=0, metavar="N",
        help="first choose each model's settings, among N, on the validation part")  # fmt: skip
    add("--tune-minutes", type=_minutes, default=60.0, metavar="M",
        help="minutes of one model's search after which no trial begins")  # fmt: skip
    own_file.add_arguments(parser)
    add("--scale", type=float, metavar="S", help="size of aliec-sim; 1.0 is the size of AliEC")
    add("--force", action="store_true", help="run, and search, again what is done")
    add("--resume", action="store_true", help="go on with training that was interrupted, from its checkpoint")
    add("--checkpoint-minutes", type=_minutes, default=10.0, metavar="N",
        help="minutes between two checkpoints of training; one more is kept at Ctrl-C")  # fmt: skip
    add("--no-stand-in", action="store_true", help="without aliec's files, stop instead of using aliec-sim")
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument("--exclude-seen", action="store_true", default=None, help="never return seen items")
    seen.add_argument("--keep-seen", action="store_false", dest="exclude_seen", help="seen items may return")
    add("--list", nargs="?", const="", metavar="NAME",
        help="show datasets and models; one of them, or 'datasets', in full")  # fmt: skip
    add("--quiet", action="store_true", help="print the table only")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def _minutes(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of minutes; without a limit, give many")
    return number


if __name__ == "__main__":
    sys.exit(main())
