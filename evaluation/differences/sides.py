"""A side of a comparison: a folder of results, or results as a git revision has them."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval_leaderboard.evaluation.reports.board import Board, read_boards
from retrieval_leaderboard.support.errors import InputError

DEFAULT_PATH = "results"
"""What a revision alone stands for"""


@contextmanager
def opened(given: str) -> Iterator[list[Board]]:
    """Every board of a side; files of a revision are there as long as the context.

    Args:
        given: a folder of results or of one dataset's, or a git revision, or `revision:path`, in the
            repository of the working folder.

    Raises:
        InputError: neither, or without a run.
    """
    if Path(given).is_dir():
        yield _boards(Path(given), given)
        return
    revision, _, path = given.partition(":")
    if Path(path).is_absolute():  # It would name files of today.
        raise InputError(f"{given}: give a path from the top of the repository, such as {DEFAULT_PATH}")
    with TemporaryDirectory(prefix="results-") as scratch:
        _extract(revision, path or DEFAULT_PATH, Path(scratch))
        yield _boards(Path(scratch, path or DEFAULT_PATH), given)


def _boards(folder: Path, given: str) -> list[Board]:
    datasets = [folder] if (folder / "runs").is_dir() else [path.parent for path in folder.glob("*/runs")]
    found = [board for dataset in sorted(datasets) for family in read_boards(dataset) for board in family]
    if not found:
        raise InputError(f"{given}: no run is stored there: give a folder of results, or of one dataset's")
    return found


def _extract(revision: str, path: str, target: Path) -> None:
    """Write what a revision holds under `path` into the folder `target`."""
    try:
        top = _git("rev-parse", "--show-toplevel").decode().strip()
        commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        raise InputError(
            f"{revision}: there is neither a folder nor a git revision of that name here"
        ) from error
    try:
        archive = _git("-C", top, "archive", "--format=tar", commit, "--", path)
    except subprocess.CalledProcessError as error:
        raise InputError(f"{revision}:{path}: the revision has no such folder") from error
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(target, filter="data")


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], capture_output=True, check=True).stdout
