"""Files in tar archives, read as streams: nothing is unpacked."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.datasets.sources import archives, raw
from retrieval_leaderboard.support.errors import InputError


@dataclass(frozen=True)
class TarMember(RawFile):
    """A file in a tar archive, compressed or not, which may itself lie in a zip."""

    names: tuple[str, ...] = ()
    """Its name without folders, or several of which the archive has one"""

    def __str__(self) -> str:
        return f"{super().__str__()}:{self.names[0]}"

    @property
    def name(self) -> str:
        """The name, the first of several."""
        return self.names[0]

    @contextmanager
    def open(self) -> Iterator[tuple[IO[bytes], int, Callable[[], int]]]:
        """As `RawFile.open`.

        Raises:
            InputError: also where the archive has no such file, or far more content than one of its size has.
        """
        with super().open() as (packed, _, _):
            try:
                with tarfile.open(fileobj=packed, mode="r|*") as archive:
                    member = self._found(archive)
                    stream = archive.extractfile(member)
                    assert stream is not None
                    yield io.BufferedReader(_Forward(stream)), member.size, stream.tell
            except tarfile.TarError as error:
                raise InputError(f"{self} cannot be read ({error}): get the archive again") from error

    def _found(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        most = archives.most_bytes(self.path)
        for member in archive:
            if member.offset_data + member.size > most:
                raise InputError(f"{self.path} holds more than {archives.MOST_TIMES} times its own size")
            if member.isreg() and PurePosixPath(member.name).name in self.names:
                return member
        raise InputError(f"{super().__str__()} has no {' or '.join(self.names)}; get the archive again")


class _Forward(io.RawIOBase):
    """A stream that says it cannot be sought in; a file of an archive that is a stream fails when asked."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: Any) -> int:
        """Read some, and tell how much."""
        block = self.stream.read(len(into))
        into[: len(block)] = block
        return len(block)


def find(folder: Path, name: str, archive: str) -> RawFile | None:
    """The file `name` in a folder, as `raw.find` finds it, else in the tar `archive` there, if it has it.

    Whether it has is not looked up. Raises InputError as `raw.find`.
    """
    if found := raw.find(folder, name):
        return found
    packed = raw.find(folder, archive)
    return TarMember(packed.path, packed.member, (name,)) if packed else None
