"""What a file holds, whatever packs it: gzip, Zstandard, or a zip archive of one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from retrieval_leaderboard.datasets.sources import archives
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import contents

ZIP = ".zip"
NAMES = {".gz": "gzip", ".zst": "zstd", ZIP: "zip"}
SUFFIXES = tuple(NAMES)
_BLOCK = 1 << 20


def kind(path: Path) -> str:
    """The suffix of the format: ".csv" of log.csv and log.CSV.gz; of log.zip that of the file in it."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if not suffixes or suffixes[-1] not in SUFFIXES:
        return suffixes[-1] if suffixes else ""
    if suffixes[-1] == ZIP and len(suffixes) == 1 and path.is_file():
        return Path(archives.only_member(path)).suffix.lower()
    return suffixes[-2] if len(suffixes) > 1 else ""


def stem(path: Path) -> str:
    """The name without the suffixes of format and packing."""
    unpacked = Path(path.stem) if path.suffix.lower() in SUFFIXES else Path(path.name)
    return unpacked.stem


@contextmanager
def stream(path: Path) -> Iterator[IO[bytes]]:
    """The unpacked content, to be read piece by piece.

    Raises:
        InputError: a file that cannot be read or is damaged, or a zip archive of several files.
    """
    suffix = path.suffix.lower()
    member = archives.only_member(path) if suffix == ZIP else ""
    try:
        with archives.stream(path, member) as (opened, *_):
            yield opened
    except archives.UNREADABLE as error:
        form = NAMES.get(suffix, "text")
        raise InputError(f"{path} is damaged or no {form} file: {error}; get it again") from error


def read(path: Path) -> bytes:
    """The unpacked content.

    Raises:
        InputError: a file that cannot be read, is damaged, or holds far more than one of its size may.
    """
    if path.suffix.lower() not in SUFFIXES:
        return contents(path)
    blocks, left = [], archives.most_bytes(path)
    with stream(path) as opened:
        while block := opened.read(_BLOCK):
            blocks.append(block)
            left -= len(block)
            if left < 0:
                raise InputError(
                    f"{path} unpacks to more than {archives.MOST_TIMES} times its size; unpack it by hand"
                )
    return b"".join(blocks)
