"""Packed files from elsewhere: damaged, locked or hostile ones are refused before a byte is written."""

from __future__ import annotations

import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from retrieval_leaderboard.support.errors import InputError

# bz2 raises an OSError, zipfile a RuntimeError for a password or a compression that it does not know.
UNREADABLE = (
    *(OSError, EOFError, RuntimeError, struct.error),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile),
)
"""What reading a packed file raises where it is damaged or locked."""
MOST_FILES = 10_000
LONGEST_NAME = 200
MOST_TIMES = 250
"""How many times the size of its archive unpacked content may have; text shrinks to a tenth."""
SMALL_BYTES = 1 << 24
"""Of unpacked content whose ratio does not matter"""
_BLOCK = 1 << 20


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of a zip into `folder`, without the folders they stand in.

    Raises:
        InputError: no readable zip, a damaged or encrypted member, one whose path is absolute or leads
            upwards, two of one name, or far more content than an archive of that size has.
    """
    with opened(archive) as packed:
        members = [member for member in packed.infolist() if not member.is_dir()]
        _check(archive, members, {path.name for path in folder.iterdir()})
        for member in members:
            with (folder / _name(member)).open("wb") as written:
                for block in _blocks(archive, packed, member):
                    written.write(block)


def only_member(archive: Path) -> str:
    """The name of the one file in a zip, without what macOS puts beside it.

    Raises:
        InputError: as `unpack`, or none or several files.
    """
    with opened(archive) as packed:
        return _only(archive, packed).filename


@contextmanager
def stream(path: Path, member: str = "") -> Iterator[tuple[IO[bytes], int, Callable[[], int]]]:
    """Unpacked content to be read piece by piece, the bytes to read in all, and how to ask for those read.

    Args:
        path: a file, plain or packed as its name says (.gz, .zst), or a zip.
        member: the name in the zip.

    Raises:
        OSError, or another of `UNREADABLE`: the file is damaged or cannot be read.
    """
    with path.open("rb") as raw:
        size = path.stat().st_size
        match path.suffix.lower():
            case _ if member:
                with zipfile.ZipFile(raw) as archive, archive.open(member) as unpacked:
                    yield unpacked, archive.getinfo(member).file_size, unpacked.tell
            case ".gz":
                with gzip.open(raw) as unpacked:
                    yield cast(IO[bytes], unpacked), size, raw.tell
            case ".zst":
                with _unpacked_zstd(raw) as unpacked:
                    yield unpacked, size, raw.tell
            case _:
                yield raw, size, raw.tell


@contextmanager
def _unpacked_zstd(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    import pyarrow as pa

    try:
        with pa.CompressedInputStream(raw, "zstd") as unpacked:
            yield cast(IO[bytes], unpacked)
    except pa.ArrowException as error:
        raise OSError(str(error)) from error


def most_bytes(archive: Path) -> int:
    """How much an archive may hold."""
    return max(SMALL_BYTES, MOST_TIMES * archive.stat().st_size)


def _only(archive: Path, packed: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        member
        for member in packed.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        raise InputError(f"{archive} holds {len(members):,} files; pack one, or unpack them into a folder")
    if reason := _flood(archive, members):
        raise InputError(f"{archive} holds {reason}; nothing was unpacked")
    return members[0]


@contextmanager
def opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, to read from.

    Raises:
        InputError: it is no zip archive that can be read.
    """
    try:
        packed = zipfile.ZipFile(archive)
    except (*UNREADABLE, ValueError) as error:
        raise _damaged(archive, error) from error
    with packed:
        yield packed


def _blocks(archive: Path, packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with packed.open(member) as source:
            while block := source.read(_BLOCK):
                yield block
    except UNREADABLE as error:
        raise _damaged(archive, error) from error


def _check(archive: Path, members: list[zipfile.ZipInfo], taken: set[str]) -> None:
    reason = _flood(archive, members)
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        name = _name(member)
        if not parts[0] or ":" in parts[0] or ".." in parts:
            reason = f"the unsafe path '{member.filename[:LONGEST_NAME]}'"
        elif len(name.encode()) > LONGEST_NAME:
            reason = f"a file whose name has {len(name)} characters"
        elif name in taken:
            reason = f"two files of the name '{name}'"
        taken.add(name)
    if reason:
        raise InputError(f"{archive.name} holds {reason}; nothing was unpacked")


def _flood(archive: Path, members: list[zipfile.ZipInfo]) -> str:
    """What is too much of it, if anything."""
    total = sum(member.file_size for member in members)
    if total > most_bytes(archive):
        return f"{total:,} bytes, more than {MOST_TIMES} times its own"
    return f"{len(members):,} files" if len(members) > MOST_FILES else ""


def _name(member: zipfile.ZipInfo) -> str:
    return Path(member.filename.replace("\\", "/")).name


def _damaged(archive: Path, error: Exception) -> InputError:
    return InputError(f"{archive} is damaged, locked or no zip archive: {error}; get it again")
