"""Folders of what a process keeps only while it runs, also where it is killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from retrieval_leaderboard.support.storage.files import writing
from retrieval_leaderboard.support.storage.locks import held, is_free

PREFIX = "retrieval-leaderboard-"
"""How their names begin, so that the next process finds what one that was killed left"""
LOCK = ".lock"


@contextmanager
def scratch_folder(place: Path) -> Iterator[Path]:
    """Yield a new folder in `place` that is removed in the end, and held until then.

    First those go that nobody holds any more: their processes were killed. Where the file system has no
    locks, these stay.

    Raises:
        UnwritableError: there is no room, or no right, to make it.
    """
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
        for other in place.glob(f"{PREFIX}*"):
            if is_free(other / LOCK):
                shutil.rmtree(other, ignore_errors=True)
        made = Path(mkdtemp(prefix=f".{PREFIX}", dir=place))
        (made / LOCK).touch()
    folder = place / made.name.removeprefix(".")
    try:
        with held(made / LOCK, f"{made} is held by another process"):
            # Under the name that others look for only now that it is held.
            made.rename(folder)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
