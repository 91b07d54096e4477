"""Options that the commands of studies share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import unknown


def parser(study: str, description: str | None, datasets: Iterable[str]) -> argparse.ArgumentParser:
    """A parser of --data-dir, --datasets (by default `datasets`) and --page-only."""
    found = _of_datasets(study, description, datasets)
    found.add_argument("--page-only", action="store_true", help="measure nothing, fill the page")
    return found


def on_spark(study: str, description: str | None, datasets: Iterable[str]) -> argparse.ArgumentParser:
    """A parser of --data-dir, --datasets (by default `datasets`) and --master."""
    found = _of_datasets(study, description, datasets)
    add_master(found)
    return found


def add_master(to: argparse.ArgumentParser) -> None:
    """Let a parser take --master."""
    to.add_argument("--master", default="local[2]", metavar="URL", help="of Spark (default: %(default)s)")


def quietly(asked: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options given; from now on this process computes by one thread and says nothing."""
    options = asked.parse_args(arguments)
    compute.configure("cpu", "fp32", threads=1)
    progress.configure(quiet=True)
    return options


def check(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """InputError for a name that is none of the `known`."""
    known = list(known)
    for name in given:
        if name not in known:
            raise unknown(what, name, known)


def names(text: str) -> list[str]:
    """Names that commas separate."""
    return [name for name in text.split(",") if name]


def numbers(text: str) -> list[int]:
    """Whole numbers that commas separate; ValueError where one is none."""
    return [int(each) for each in names(text)]


def _of_datasets(study: str, description: str | None, datasets: Iterable[str]) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog=f"python -m studies.{study}", description=description)
    found.add_argument("--data-dir", type=Path, default=ROOT / "data", metavar="DIR", help="of the datasets")
    found.add_argument("--datasets", type=names, default=[*datasets], metavar="A,B", help="default: all")
    return found
