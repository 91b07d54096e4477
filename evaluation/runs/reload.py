"""The data of a stored run, loaded again: as its record remembers, or as the command line says instead."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from retrieval_leaderboard import WORKSPACE
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.datasets.own import dataset_file
from retrieval_leaderboard.datasets.own import options as own_data
from retrieval_leaderboard.datasets.own.spec import TABLES, option
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.splits.holdout import ASKED
from retrieval_leaderboard.datasets.splits.order import RANDOM
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary
from retrieval_leaderboard.support.errors import InputError

BESIDE = ("items", "users", "item_vectors", "user_vectors")
"""The fields that name what lies beside a log"""
PLACES = "--dataset, --items, --users, --item-vectors and --user-vectors"
"""What says where files of one's own are"""
ELSEWHERE = (*TABLES, "dataset", "data_dir", "scale")
"""What is not remembered where the data is named anew"""


def add_arguments(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, leave_out: Collection[str] = ()
) -> None:
    """Add what may be said anew, beside --dataset: all of it goes before what a record remembers.

    `leave_out` are fields of `DataSpec` that get no option.
    """
    parser.add_argument("--data-dir", type=Path, metavar="DIR",
                        help="folder of the datasets (default: as the run had it)")  # fmt: skip
    parser.add_argument("--scale", type=float, metavar="S",
                        help="size of aliec-sim (default: as the run had it)")  # fmt: skip
    parser.add_argument("--memory", metavar="SIZE", help="keep to a limit, such as 6GB, and prepare on disk")
    own_data.add_arguments(parser, leave_out)


def dataset(
    about: DatasetSummary, named: Sequence[str], options: argparse.Namespace, advice: str = ""
) -> Dataset:
    """The data that a record is about.

    Args:
        about: what the record says of it.
        named: what `--dataset` names instead; [] where it names nothing.
        options: of a parser with `add_arguments`.
        advice: what to do where the data cannot be had; "" where `options` may say where it lies.

    Raises:
        InputError: as `load`, or the record does not say where the data is.
    """
    given = own_data.given(options)
    known = _remembered(about, named, bool(given.keys() & set(TABLES)), advice)
    data_dir = options.data_dir or (WORKSPACE / known["data_dir"] if "data_dir" in known else None)
    scale = known.get("scale") if options.scale is None else options.scale
    said = {name: value for name, value in known.items() if name not in ("dataset", "data_dir", "scale")}
    try:
        return load(
            list(named) or known.get("dataset"),
            data_dir,
            protocol=about.protocol,
            exclude_seen=about.exclude_seen,
            split_seed=about.split_seed,
            carve=_carve(about),
            ties=about.ties or RANDOM,
            scale=scale,
            memory=options.memory,
            **(said | given),
        )
    except InputError as error:
        place = _beside(error, {name: known[name] for name in known.keys() - given.keys()})
        if not advice and not place and (named or given or not about.source):
            raise
        option = place or ("--data-dir" if "dataset" in known else "--dataset")
        raise InputError(
            f"the data of {about.name} is not to be had as the run had it: {error}; "
            f"{advice or f'where it lies elsewhere, give {option}'}"
        ) from error


def _carve(about: DatasetSummary) -> str | None:
    """How validation was carved, where that is a choice."""
    protocol = PROTOCOLS.get(about.protocol)
    return ASKED.get(about.carve) if protocol and protocol.own_test else None


def _beside(error: InputError, known: dict[str, Any]) -> str:
    """The option of what lies beside a log, of what is `known`, that an error is about; "" for none."""
    for name in BESIDE:
        paths = known.get(name, ())
        if any(str(path) in str(error) for path in (paths.values() if isinstance(paths, dict) else paths)):
            return option(name)
    return ""


def _remembered(about: DatasetSummary, named: Sequence[str], anew: bool, advice: str) -> dict[str, Any]:
    """What holds of the record's arguments of `load`, where the data is `named`, or its tables are, anew."""
    if named:
        whole = len(named) == 1 and (named[0] in SOURCES or named[0].endswith(dataset_file.SUFFIXES))
        return {} if whole else _without_place(about.source)
    if anew:
        return _without_place(about.source)
    if about.source:
        return dict(about.source)
    if about.name not in SOURCES:
        raise InputError(
            f"the record of {about.name} does not say what it was made of: "
            f"{advice or 'give its files by --dataset, and the options that it was read with'}"
        )
    return {"dataset": about.name}


def _without_place(source: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name not in ELSEWHERE}
