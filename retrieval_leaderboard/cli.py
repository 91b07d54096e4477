"""The command line of the leaderboard: its options, and what they come to."""

from __future__ import annotations

import argparse
import math
import sys
from contextlib import suppress
from pathlib import Path

from retrieval_leaderboard.support import python  # noqa: F401  (an older Python gets a sentence)

# isort: split
from retrieval_leaderboard import COMMAND, pipeline
from retrieval_leaderboard.datasets.loader import DATA_DIR
from retrieval_leaderboard.datasets.own import options as own_data
from retrieval_leaderboard.datasets.sources.listing import listing as datasets
from retrieval_leaderboard.datasets.splits import options as split
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.models import outside, registry
from retrieval_leaderboard.evaluation.reports import formats, listing
from retrieval_leaderboard.evaluation.reports.leaderboard import OWN_RESULTS
from retrieval_leaderboard.evaluation.runs import named, processes, torchrun
from retrieval_leaderboard.evaluation.runs.configs import OWN_CONFIGS
from retrieval_leaderboard.evaluation.tuning import budget
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError, in_one_sentence
from retrieval_leaderboard.support.stopping import interrupting

STOPPED = 130
"""Exit code of what Ctrl-C, or who else may, has ended"""
EXAMPLES = """\
examples:
  {command} --dataset gowalla --models item_cf,infonce --seeds 5
  {command} --dataset mine.csv --columns user=uid,item=iid,timestamp=ts --tune 30
  {command} --train my.train.inter --valid my.valid.inter --test my.test.inter
  {command} --dataset ml-1m --model what_next.py:WhatNext --set what_next.last_n=5
"""


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0: all runs done, 1: some failed, 2: bad input, 130: stopped."""
    if torchrun.started():
        return _one_of_several(arguments, torchrun.Torchrun())
    return _run(arguments)


def _one_of_several(arguments: list[str] | None, team: torchrun.Torchrun) -> int:
    """What a command does that torchrun started: all, or as `Torchrun.follow`."""
    if team.rank:
        try:
            with interrupting():
                return team.follow(lambda: pipeline.data(parser().parse_args(arguments)))
        except KeyboardInterrupt:
            return STOPPED
    processes.choose(team)
    try:
        return _run(arguments)
    finally:
        team.release()


def _run(arguments: list[str] | None) -> int:
    options = parser().parse_args(arguments)
    progress.configure(options.quiet)
    try:
        if options.list is not None:
            print(_listing(options))
            return 0
        with interrupting():
            return pipeline.run(options)
    except KeyboardInterrupt:
        kept = (
            f"finished runs and trials are kept in {options.results_dir}; --resume goes on with the training "
            "that was stopped"
        )
        with suppress(OSError):  # The terminal may be what was closed.
            print(f"\nstopped; {kept}", file=sys.stderr)
        return STOPPED


def _listing(options: argparse.Namespace) -> str:
    models = [*map(registry.get, registry.names()), *map(outside.load, options.model)]
    packaged = [each for each in outside.packaged() if each.model not in models]
    models += [each.model for each in packaged]
    packages = {each.model.name: each.package for each in packaged}
    return listing.text(options.list, datasets(options.data_dir), models, registry.defaults(), packages)


def parser() -> argparse.ArgumentParser:
    """The options, in groups."""
    command = _command()
    found = argparse.ArgumentParser(
        prog=command,
        description="Runs retrieval models on a dataset and writes their leaderboard.",
        usage=f"{command} [--dataset NAME_OR_PATH] [--models A,B] [options]",
        epilog=EXAMPLES.format(command=command),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _data_options(found.add_argument_group("data"))
    own_data.add_arguments(found.add_argument_group("data of your own"))
    _model_options(found.add_argument_group("models and their settings"))
    _run_options(found.add_argument_group("runs"))
    _output_options(found.add_argument_group("output"))
    return found


def _command() -> str:
    """What was called, for the help."""
    called = Path(sys.argv[0])
    as_module = (called.parent.name, called.name) == (__package__, "__main__.py")
    return f"python -m {__package__}" if as_module else COMMAND


def _data_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    own_data.add_paths(
        group,
        "--dataset",
        "NAME_OR_PATH",
        "a name from --list (default: aliec-sim), a dataset file, or files, folders or patterns of a log",
    )
    add("--data-dir", type=Path, default=DATA_DIR, metavar="DIR", help="folder of the datasets")
    split.add_arguments(group)
    add("--memory", metavar="SIZE", help="keep to a limit, such as 6GB, and prepare the data on disk")
    add("--scale", type=float, metavar="S", help="size of aliec-sim; 1.0 is the size of AliEC")
    add(
        "--no-fallback",
        "--no-stand-in",
        action="store_true",
        help="without aliec's files, stop instead of using aliec-sim",
    )


def _model_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--models", metavar="A,B",
        help="models to run, of --list, or all (default: those that --list marks by *)")  # fmt: skip
    add("--model", action="append", default=[], metavar="FILE.py:CLASS",
        help="a model of your own; also package.module:CLASS")  # fmt: skip
    add("--set", action="append", default=[], metavar="MODEL.KEY=VALUE", help="a setting of a model")
    add("--configs-dir", type=Path, default=OWN_CONFIGS, metavar="DIR",
        help="folder of settings that go before the shipped ones, and of what searches find "
        "(default: configs/local)")  # fmt: skip
    add("--defaults", action="store_true", help="run every model with its defaults, whatever configs say")
    add("--budget", type=_budget, metavar="TIME",
        help="first search each model's settings for that long, such as 45m, from its defaults on the "
        "validation part; then 5 seeds, unless --seeds says otherwise; not with --tune")  # fmt: skip
    add("--tune", type=_count, default=0, metavar="N",
        help="first search each model's settings, from the configs', for as much as N fits; not with "
        "--budget")  # fmt: skip


def _run_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--seeds", type=_count, metavar="N",
        help="number of seeds of stochastic models (default: 1, after --budget 5)")  # fmt: skip
    add("--k", type=_lengths, default=[20], metavar="K[,K]",
        help="length of the lists, the board's first, then others to measure at (default: 20)")  # fmt: skip
    add(
        "--device",
        choices=compute.DEVICE_CHOICES,
        default="auto",
        help="where towers train and rank; a GPU by default, if there is one",
    )
    add("--precision", choices=compute.PRECISION_CHOICES, default="auto", help="of neural training")
    add("--deterministic", action="store_true", help="the same bits in every training, on a GPU too, where "
        "that is slower")  # fmt: skip
    add("--compile", action="store_true", help="compile the training step, on a GPU")
    add("--threads", type=_count, metavar="N", help="CPU threads (default: the cores there are, no more than "
        "OMP_NUM_THREADS or a container's CPU quota)")  # fmt: skip
    add("--nproc", type=_count, metavar="N", help="processes on this machine that train a two-tower model "
        "together (default: 1); torchrun starts them on several machines")  # fmt: skip
    add("--tables", choices=compute.TABLES, help="where several processes train, each of them has "
        "all rows of embedding tables, or its share (default: replicated)")  # fmt: skip
    add("--engine", choices=engines.NAMES, default="local",
        help="what does the blocks of fits and rankings: this process's threads, or Spark")  # fmt: skip
    add("--grouped", action="store_true", help="with --engine spark, for logs that no executor holds: "
        "item-to-item fits shuffle the histories that each block of items needs")  # fmt: skip
    add("--master", metavar="URL", help="of Spark: local[N], spark://HOST:PORT, yarn or k8s://URL (default: "
        "the threads of this machine)")  # fmt: skip
    add("--warm-start", type=named.folder, nargs="+", metavar="RUN", help="instead of fits from "
        "scratch, go on from these runs, folders of results/<dataset>/runs or patterns, on data with what "
        "came since")  # fmt: skip
    add("--force", action="store_true", help="repeat runs and searches that are done")
    add("--resume", action="store_true", help="go on with training that was interrupted, from its checkpoint")
    add("--checkpoint-minutes", type=_minutes, default=10.0, metavar="N",
        help="minutes between two checkpoints of training; one more is kept at Ctrl-C")  # fmt: skip


def _output_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--results-dir", type=Path, default=OWN_RESULTS, metavar="DIR",
        help="folder of the results (default: results/local)")  # fmt: skip
    add("--list", nargs="?", const="", metavar="NAME",
        help="show datasets and models; one of them, or 'datasets', in full")  # fmt: skip
    formats.add_argument(group)
    add("--quiet", action="store_true", help="print the table only")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number") from error


def _count(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def _lengths(text: str) -> list[int]:
    return [_count(each) for each in text.split(",")]


def _budget(text: str) -> float:
    try:
        return budget.minutes(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _minutes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of minutes; without a limit, give many")
    return number
