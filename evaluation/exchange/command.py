"""The command line: lists from a file become a row, and those of a run become a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.loader import DATA_DIR
from retrieval_leaderboard.datasets.own import options as own_data
from retrieval_leaderboard.datasets.own.spec import TABLES
from retrieval_leaderboard.datasets.splits import options as split
from retrieval_leaderboard.evaluation.exchange import given_run, reading, writing
from retrieval_leaderboard.evaluation.reports import leaderboard
from retrieval_leaderboard.evaluation.runs import named, records, reload
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.locks import locked


def add_given(parser: argparse.ArgumentParser) -> None:
    """Add what may be said of lists from elsewhere."""
    group = parser.add_argument_group("lists from elsewhere")
    add = group.add_argument
    add("lists", type=Path, nargs="?", metavar="LISTS",
        help="a file of lists to score: Parquet, CSV, TSV or JSON lines with columns user, item and rank or "
        "score, or a TREC run (.trec, .run); without one, stored runs are scored anew")  # fmt: skip
    add("--name", dest="row", metavar="NAME", help="what their row is called")
    add("--k", type=int, metavar="N", help="how many positions count (default: 20)")
    add("--seed", type=int, metavar="S",
        help="which of several files of one model this is, from 0 (default: 0)")  # fmt: skip
    add("--list-columns", default="", metavar="ROLE=NAME,…",
        help=f"columns of LISTS: {', '.join(reading.ROLES)}")  # fmt: skip
    split.add_arguments(group)


def check_unused(options: argparse.Namespace) -> None:
    """InputError where lists are described and no file of lists is given."""
    names = {"row": "--name", "k": "--k", "seed": "--seed", "list_columns": "--list-columns",
             **split.NAMES}  # fmt: skip
    for key, name in names.items():
        if getattr(options, key) not in (None, ""):
            raise InputError(f"{name} is about lists from elsewhere: give their file, --dataset and --name")


def score_given(options: argparse.Namespace) -> None:
    """Make a row of lists from a file, and write the board that it stands on."""
    own = own_data.given(options)
    if options.runs:
        raise InputError("--runs names stored runs; leave it out where a file of lists is scored")
    wanted = {
        "what data the lists answer: --dataset NAME_OR_PATH": options.dataset or own.keys() & set(TABLES),
        "what their row is called: --name NAME": options.row,
    }
    if lacking := [what for what, given in wanted.items() if not given]:
        raise InputError(f"{options.lists}: say {', and '.join(lacking)}")
    columns = reading.parse_columns(options.list_columns)
    k = 20 if options.k is None else options.k
    given = given_run.Given(options.lists, options.row, options.seed or 0, k, columns)
    given.check()
    dataset = load(
        options.dataset,
        options.data_dir or DATA_DIR,
        **split.given(options),
        scale=options.scale,
        memory=options.memory,
        **own,
    )
    folder = options.results_dir / dataset.name
    with locked(folder, f"another command is working in {folder}: waiting for it"):
        record = given_run.keep(given, dataset, folder)
        page = leaderboard.derive(folder).page(record.fingerprint, record.k)
    metrics = ", ".join(f"{name}@{record.k} {value:.4f}" for name, value in record.measured.metrics.items())
    print(f"{given.name}: {record.provenance.note}\n{given.name}: {metrics}\n{page}")


def add_lists(commands: argparse._SubParsersAction) -> None:
    """Add the command `lists`."""
    parser = commands.add_parser(
        "lists", help="write the lists of a run with raw ids", allow_abbrev=False,
        description="Writes a run's lists in raw ids: a row for each item, with its user, the number of the "
        "query, the rank from 1 and the item.",
    )  # fmt: skip
    add = parser.add_argument
    add("--run", type=named.folder, nargs="+", required=True, metavar="DIR", action=named.One,
        help="folder of a run")  # fmt: skip
    add("--out", type=Path, required=True, metavar="FILE",
        help=f"what to write, in the format of its name: {', '.join(writing.SUFFIXES)}")  # fmt: skip
    data = parser.add_argument_group("data, where it is not as the run had it")
    own_data.add_paths(data, "--dataset", "NAME_OR_PATH", "where the run's data lies")
    reload.add_arguments(data)
    parser.set_defaults(work=write_lists)


def write_lists(options: argparse.Namespace) -> None:
    """Write the lists of a run."""
    writing.check_target(options.out)
    record = records.read(options.run)
    if record is None or not record.is_done:
        raise InputError(f"--run {options.run} is no finished run: {named.instead_of(options.run)}")
    writing.check_source(options.run, record)  # Data may be large, and far.
    dataset = reload.dataset(record.dataset, options.dataset or [], options)
    items = writing.stored(options.run, record, dataset)
    rows = writing.write(options.out, items, dataset, record.model)
    print(f"{options.out}: {rows:,} rows, {len(items):,} queries")
