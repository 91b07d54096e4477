"""Folders of the cache that are whole or absent, and belong to exactly what they were made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.storage import checksums, sealed
from retrieval_leaderboard.support.storage.files import atomic_folder, tidy
from retrieval_leaderboard.support.storage.locks import locked

FORMAT = 2
"""Version of what the folders hold; others are not read"""
MANIFEST = "manifest.json"
Made = TypeVar("Made")


@dataclass(frozen=True)
class FileState:
    """What tells that a file is as it was written, at the cost of a look at its folder."""

    bytes: int
    modified: int
    """Nanoseconds since 1970"""
    digest: str = ""
    """As `checksums.digest`; "" where only a file's look counts"""

    @classmethod
    def of(cls, path: Path, digest: str = "") -> FileState:
        """Of a file that is there."""
        about = path.stat()
        return cls(about.st_size, about.st_mtime_ns, digest)


def key(*parts: Any) -> str:
    """A name for what is made of `parts`, whose `repr` tells them apart."""
    return hashlib.blake2b(repr((FORMAT, *parts)).encode(), digest_size=8).hexdigest()


def identity(paths: Iterable[Path]) -> list[tuple[str, int, int]]:
    """Path, bytes and time of change of files: other content has another identity."""
    states = [(str(path.resolve()), FileState.of(path)) for path in paths]
    return [(name, state.bytes, state.modified) for name, state in states]


def made(folder: Path, make: Callable[[Path], Mapping[str, Any]], what: str) -> dict[str, Any]:
    """The manifest of `folder`, which `make` fills where it is not there as it was written.

    One process makes it while others wait.

    Args:
        folder: whose name is the key of all that it depends on.
        make: writes arrays to an empty folder and returns what else there is to know, as JSON can hold it.
        what: it is, for messages.

    Raises:
        InputError: as `make`, or the folder cannot be written.
    """
    if (found := _whole(folder, what)) is not None:
        return found
    with locked(folder.parent, f"another command is working in {folder.parent}: waiting for it"):
        if folder.exists() and (found := _whole(folder, what)) is not None:
            return found
        tidy(folder.parent)
        with atomic_folder(folder) as scratch:
            content = dict(make(scratch))
            files = sorted(path for path in scratch.iterdir() if path.is_file())
            states = {path.name: asdict(FileState.of(path, checksums.digest(path))) for path in files}
            sealed.write(scratch / MANIFEST, content | {"files": states})
        return sealed.read(folder / MANIFEST)


def _whole(folder: Path, what: str) -> dict[str, Any] | None:
    """The manifest of a folder that is as it was written; None without one, or where it is not."""
    if not folder.exists():
        return None
    try:
        found = sealed.read(folder / MANIFEST)
        for name, stored in found["files"].items():
            state = FileState(**stored)
            now = FileState.of(folder / name, state.digest)
            # A copy has another time: then the content decides.
            if now != state and (now.bytes != state.bytes or checksums.digest(folder / name) != state.digest):
                raise sealed.DamagedError(f"{folder / name} is not the file that was written")
    except (OSError, sealed.DamagedError) as error:
        progress.say(f"{what} is made again: {error}")
        return None
    return found
