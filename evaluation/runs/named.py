"""Runs that a command line names: folders, or patterns that the shell has not expanded."""

from __future__ import annotations

import argparse
import glob
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.models.saving import RECORD
from retrieval_leaderboard.support.errors import InputError

A_RUN = "a folder of results/<dataset>/runs"


def instead_of(given: Path) -> str:
    """What to give in place of a path that is no run: where it is the folder of several, one of them."""
    inside = sorted(path.parent for where in ("*", "runs/*") for path in given.glob(f"{where}/{RECORD}"))
    if not inside:
        return f"give {A_RUN}"
    pattern = f"{str(inside[0]).rpartition('-')[0]}-*"
    return f"it holds {len(inside)}: give one, such as {inside[0]}, or a pattern, such as '{pattern}'"


def folder(text: str) -> Path:
    """The type of an option that names runs: a path, or a pattern of paths, for `folders`."""
    if not text:
        raise argparse.ArgumentTypeError(f"nothing is named: give {A_RUN}")
    return Path(text)


def folders(given: Iterable[Path], option: str) -> list[Path]:
    """Each path, and what each pattern matches, once.

    Raises:
        InputError: a pattern matches nothing.
    """
    return list(dict.fromkeys(path for each in given for path in _matches(each, option)))


def _matches(given: Path, option: str) -> list[Path]:
    if given.exists() or not glob.has_magic(str(given)):
        return [given]
    base = Path(given.anchor)
    matches = base.glob(str(given.relative_to(base)))
    # Path.glob finds hidden names too: runs that were killed while they were written.
    found = sorted(path for path in matches if not path.name.startswith("."))
    if not found:
        raise InputError(f"{option} {given} matches nothing: give {A_RUN}")
    return found


class One(argparse.Action):
    """Takes one folder; refuses several, as of a pattern, and names them."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        """Keep the path."""
        found = folders(values, str(option))
        if len(found) > 1:
            raise InputError(
                f"{option} takes one folder and got {len(found)}: give one of {', '.join(map(str, found))}"
            )
        setattr(namespace, self.dest, found[0])
