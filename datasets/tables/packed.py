"""What a file holds, whatever packs it: gzip, Zstandard, or a zip archive of one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from retrieval_leaderboard.datasets.sources import archives
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import contents

CODECS = {".gz": "gzip", ".zst": "zstd"}
ZIP = ".zip"
SUFFIXES = (*CODECS, ZIP)
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
        InputError: a zip archive, which is not, or a file that cannot be read or is damaged.
    """
    import pyarrow as pa

    suffix = path.suffix.lower()
    if suffix == ZIP:
        raise InputError(f"{path}: a zip archive is read whole; unpack it, or leave --memory out")
    codec = CODECS.get(suffix)
    try:
        with path.open("rb") if codec is None else pa.input_stream(str(path), compression=codec) as opened:
            yield opened
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} is damaged or no {codec or 'text'} file: {error}; get it again") from error


def read(path: Path) -> bytes:
    """The unpacked content.

    Raises:
        InputError: a file that cannot be read, is damaged, or holds far more than one of its size may.
    """
    suffix = path.suffix.lower()
    if suffix == ZIP:
        return archives.only_content(path)
    return _unpacked(path, CODECS[suffix]) if suffix in CODECS else contents(path)


def _unpacked(path: Path, codec: str) -> bytes:
    import pyarrow as pa

    blocks, left = [], archives.most_bytes(path)
    try:
        with pa.input_stream(str(path), compression=codec) as stream:
            while block := stream.read(_BLOCK):
                blocks.append(block)
                left -= len(block)
                if left < 0:
                    raise InputError(
                        f"{path} unpacks to more than {archives.MOST_TIMES} times its size; unpack it by hand"
                    )
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} is damaged or no {codec} file: {error}; get it again") from error
    return b"".join(blocks)
