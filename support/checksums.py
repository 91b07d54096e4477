"""A folder's SHA256SUMS, as `sha256sum` writes and checks it: a flipped bit is found before it is read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from retrieval_leaderboard.support.files import write_text

FILE = "SHA256SUMS"


def write(folder: Path) -> None:
    """Note the sums of all files that lie in `folder`."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != FILE)
    write_text(folder / FILE, "".join(f"{_digest(path)}  {path.name}\n" for path in files))


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
            if _digest(folder / name) != noted.get(name):
                return f"{name} is not the file that was written"
    except (OSError, ValueError) as error:
        return f"it cannot be checked: {error}"
    return "" if noted else f"{FILE} is empty"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
