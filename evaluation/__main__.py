"""The command line: `python -m evaluation report | score | lists | diff | time | check | migrate`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval_leaderboard import PREFIX
from retrieval_leaderboard.datasets import Dataset
from retrieval_leaderboard.datasets.own import names
from retrieval_leaderboard.datasets.own import options as own_data
from retrieval_leaderboard.datasets.own.asked import asked
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.tables import files
from retrieval_leaderboard.evaluation.differences import command as differences
from retrieval_leaderboard.evaluation.exchange import command as exchange
from retrieval_leaderboard.evaluation.reports import formats, leaderboard
from retrieval_leaderboard.evaluation.runs import records, reload, rescore, rewrite, timings
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary
from retrieval_leaderboard.evaluation.testing import command as testing
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError, in_one_sentence, unknown
from retrieval_leaderboard.support.stopping import interrupting
from retrieval_leaderboard.support.storage.locks import locked
from retrieval_leaderboard.support.system import cores

PROGRAM = f"python -m {PREFIX}evaluation"
EXAMPLES = """\
examples:
  {program} report
  {program} report --dataset gowalla --results-dir results --report html,svg,tex
  {program} score --dataset mine
  {program} score --runs mine --dataset moved/clicks.csv
  {program} score theirs.parquet --dataset gowalla --name theirs
  {program} lists --run results/local/gowalla/runs/als-seed0-... --out als.trec
  {program} diff main results
  {program} time --dataset gowalla --threads 1
  {program} check what_next.py:WhatNext
  {program} migrate --results-dir results --scores-dir studies/records
"""
REPORT = "Writes the pages and tables of stored runs anew. No dataset is read and nothing is fitted."
SCORE = (
    "Computes the metrics of the stored lists of runs anew, or, given a file of lists, makes a row of them. "
    "Nothing is fitted; the boards are derived anew."
)
MIGRATE = "Rewrites records of earlier versions as this version writes them; nothing is fitted or scored."
TIME = (
    "Fits and ranks every official row again, one after the other, so that the seconds and memory of a board "
    "are of one machine and one number of threads: run it on a quiet one. Each row is measured by its run of "
    "the lowest seed, and takes as long as that run. Writes timings.json beside the runs, after every row, "
    "and then the dataset's pages; runs and metrics stay as they are. Stopped and called again, it goes on "
    "with the rows that are missing."
)


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0: done, 1: `diff` found a change, 2: bad input, 130: stopped."""
    options = parser().parse_args(arguments)
    try:
        with interrupting():
            return options.work(options) or 0
    except KeyboardInterrupt:
        return 130


def _report(options: argparse.Namespace) -> None:
    for folder in _folders(options):
        with _held(folder):
            for run, record in records.of_board(folder).items():
                records.is_whole(run, record)  # Names the damaged files of runs whose record is whole.
            found = leaderboard.derive(folder)
            for file in (folder / leaderboard.LEADERBOARD, *found.write(options.report)):
                print(file)


def _score(options: argparse.Namespace) -> None:
    if options.lists is not None:
        exchange.score_given(options)
        return
    exchange.check_unused(options)
    total = 0
    for folder in _folders(options):
        with _held(folder):
            scored = rescore.score(folder, lambda about: _load(about, options))
            leaderboard.derive(folder)
        print(f"{folder}: {scored} runs scored")
        total += scored
    if not total:
        raise InputError(
            f"no run under {options.results_dir} could be scored: give the data that they are about, by "
            f"{reload.PLACES}, or run them anew"
        )


def _time(options: argparse.Namespace) -> None:
    _check_threads(options.threads)
    compute.configure(threads=options.threads)
    for folder in _folders(options):
        with _held(folder):
            count = timings.measure(folder, lambda about: _load(about, options), options.force)
            leaderboard.derive(folder)
        print(f"{folder}: {count} rows measured")


def _check_threads(asked: int | None) -> None:
    known = cores.affinity()
    if asked is not None and not 1 <= asked <= known:
        raise InputError(
            f"--threads {asked}: give 1 to {known}, the cores that this process may run on; seconds of more "
            "threads would compare with nothing"
        )


def _migrate(options: argparse.Namespace) -> None:
    for folder in _folders(options):
        with _held(folder):
            print(f"{folder}: {rewrite.runs(folder)} records are of the current version")
    if options.scores_dir is not None:
        print(
            f"{options.scores_dir}: {rewrite.scores(options.scores_dir)} records are of the current version"
        )


def _folders(options: argparse.Namespace) -> list[Path]:
    """Of the datasets that are asked about.

    Raises:
        InputError: there is none, or not that one.
    """
    folders = {path.parent.name: path.parent for path in sorted(options.results_dir.glob("*/runs"))}
    if not folders:
        raise InputError(f"no run is stored under {options.results_dir}: give --results-dir")
    if not options.dataset and not options.runs:
        return list(folders.values())
    name = options.runs or options.dataset[0]
    if not options.runs and (options.dataset[1:] or name not in folders):
        name = _name(options.dataset)
        if name not in folders and any(map(files.is_path, options.dataset)):
            raise InputError(
                f"no run under {options.results_dir} is about a dataset '{name}', only about "
                f"{', '.join(folders)}; say whose data this is: --runs NAME"
            )
    if name not in folders:
        raise unknown(f"dataset with runs under {options.results_dir}", name, folders)
    return [folders[name]]


def _name(dataset: list[str]) -> str:
    """Of the results of a dataset that is named or given by its files."""
    if not any(map(files.is_path, dataset)):
        return " ".join(dataset)
    return names.of(asked(dataset, {}, list(SOURCES)).spec)[0]


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    with locked(folder, f"another command is working in {folder}: waiting for it"):
        yield


def _load(about: DatasetSummary, options: argparse.Namespace) -> Dataset:
    progress.say(f"loading {about.heading}")
    named = [] if options.dataset == [about.name] else options.dataset or []
    return reload.dataset(about, named, options)


def parser() -> argparse.ArgumentParser:
    """Of all commands."""
    found = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Works on stored runs: tables, metrics, lists, costs, what changed. Checks models.",
        epilog=EXAMPLES.format(program=PROGRAM),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = found.add_subparsers(dest="command", required=True)
    stored = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    which = stored.add_argument_group("runs")
    own_data.add_paths(which, "--dataset", "NAME", "whose runs (default: all datasets'), by name or by files")
    which.add_argument("--results-dir", type=Path, default=leaderboard.OWN_RESULTS, metavar="DIR",
                       help="folder of the results (default: results/local)")  # fmt: skip

    which.add_argument("--runs", metavar="NAME",
                       help="whose runs, where --dataset is the new place of their data")  # fmt: skip

    again = commands.add_parser("report", parents=[stored], help="write every table anew", description=REPORT)
    formats.add_argument(again)
    again.set_defaults(work=_report)

    score = commands.add_parser(
        "score", parents=[stored], help="score lists from a file, or the stored lists of runs anew",
        usage=f"{PROGRAM} score [LISTS --dataset NAME --name NAME] [options]", description=SCORE,
    )  # fmt: skip
    exchange.add_given(score)
    reload.add_arguments(score.add_argument_group("data, where it is not as the runs had it"), {"name"})
    score.set_defaults(work=_score)

    exchange.add_lists(commands)
    differences.add_parser(commands)
    time = commands.add_parser(
        "time", parents=[stored], help="measure the costs of official rows in one go", description=TIME,
        usage=f"{PROGRAM} time [--dataset NAME] [--threads N] [options]",
    )  # fmt: skip
    time.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: the cores there are)")
    time.add_argument("--force", action="store_true", help="measure again what was measured here before")
    reload.add_arguments(time.add_argument_group("data, where it is not as the runs had it"))
    time.set_defaults(work=_time)

    testing.add_parser(commands)
    migrate = commands.add_parser(
        "migrate", parents=[stored], help="bring records to the current version", description=MIGRATE
    )
    migrate.add_argument_group("scores").add_argument(
        "--scores-dir", type=_folder, metavar="DIR",
        help="folder of the studies' scores too, such as studies/records",
    )  # fmt: skip
    migrate.set_defaults(work=_migrate)
    return found


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise InputError(f"--scores-dir {text}: there is no such folder")
    return Path(text)


if __name__ == "__main__":
    sys.exit(main())
