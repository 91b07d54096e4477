"""Checksums of files: a flipped bit is found before it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from retrieval_leaderboard.support.storage.files import write_text
from retrieval_leaderboard.support.storage.sealed import DamagedError

FILE = "SHA256SUMS"
"""A folder's sums, as `sha256sum` writes and checks them"""


def write(folder: Path) -> None:
    """Note the sums of all files that lie in `folder`."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != FILE)
    write_text(folder / FILE, "".join(f"{_sha256(path)}  {path.name}\n" for path in files))


def damage(folder: Path, *names: str) -> str:
    """What is not as it was written, in a few words; "" where all is.

    Args:
        folder: with the sums that `write` noted.
        names: the files to check; all that were noted by default.
    """
    try:
        lines = (folder / FILE).read_text(encoding="utf-8").splitlines()
        noted = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        for name in names or noted:
            if _sha256(folder / name) != noted.get(name):
                return f"{name} is not the file that was written"
    except (OSError, ValueError) as error:
        return f"it cannot be checked: {error}"
    return "" if noted else f"{FILE} is empty"


def digest(*paths: Path) -> str:
    """blake2b of files, one after the other, 32 hex digits.

    Raises:
        OSError: one cannot be read.
    """
    found = hashlib.blake2b(digest_size=16)
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: found)
    return found.hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """File → `digest`, of every file in `folder`."""
    return {path.name: digest(path) for path in sorted(folder.iterdir()) if path.is_file()}


def check(folder: Path, known: Mapping[str, str], names: Iterable[str]) -> None:
    """Compare files of `folder` with their digests; those that are absent, or have none, pass.

    Raises:
        DamagedError: naming the first that differs.
    """
    for name in names:
        if name in known and (folder / name).is_file() and digest(folder / name) != known[name]:
            raise DamagedError(f"{folder / name} is damaged: its checksum does not hold")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
