"""The ratings of the Netflix Prize (Bennett and Lanning 2007), of days from 1998 to 2005.

A line `movie:` stands before the lines `customer,rating,YYYY-MM-DD` of that movie, in any of

- `combined_data_1.txt` to `combined_data_4.txt`, as Kaggle has them;
- `training_set.tar`, the original, with a file `mv_0000001.txt` for each movie, or these files unpacked.

`movie_titles.csv`, originally `movie_titles.txt`, has lines `movie,year,title` in Latin-1; titles hold
commas, and a year may be NULL. All ratings are interactions. Days are all that is known of the order.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.sources import describe
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Integers, find, from_dates
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError

NAME = "netflix"
COMBINED = tuple(f"combined_data_{number}.txt" for number in range(1, 5))
ARCHIVE, MOVIE_FILES = "training_set.tar", "mv_[0-9]*.txt"
END = bytes(tarfile.BLOCKSIZE)
"""Stands after the last file of an archive"""
TITLES = ("movie_titles.csv", "movie_titles.txt")
BLOCK_BYTES = 1 << 22
TAIL = len(",5,2005-09-06")
"""Characters of a line after the customer"""
DIGITS = 9
"""Most that an id has"""
MOST_STARS = 5


def holds(folder: Path) -> bool:
    """Whether a folder has the ratings in one of their forms."""
    return all(find(folder, name) for name in COMBINED) or bool(find(folder, ARCHIVE) or _movie_files(folder))


def load(folder: Path) -> ChunkedLog:
    """The ratings.

    Raises:
        InputError: a missing or damaged file, or one of another format (file and line).
    """
    titles = next(filter(None, (find(folder, name) for name in TITLES)), None)
    return ChunkedLog(
        NAME,
        partial(_chunks, folder),
        describe_items=(lambda ids: _years(titles, ids)) if titles else None,
        ordered=False,
    )


def _movie_files(folder: Path) -> list[RawFile]:
    files = sorted(folder.rglob(MOVIE_FILES))
    folders = sorted({path.parent for path in files})
    if len(folders) > 1:
        raise InputError(f"{folders[0]} and {folders[1]} both have files of movies; leave one")
    return list(map(RawFile, files))


def _chunks(folder: Path) -> Iterator[Chunk]:
    combined = [file for name in COMBINED if (file := find(folder, name))]
    if len(combined) == len(COMBINED):
        yield from _in_files(combined)
    elif archive := find(folder, ARCHIVE):
        yield from _in_archive(archive)
    elif files := _movie_files(folder):
        yield from _in_files(files)
    else:
        raise InputError(
            f"{folder} has neither {COMBINED[0]} to {COMBINED[-1]} nor {ARCHIVE}; get them again"
        )


def _in_files(files: list[RawFile]) -> Iterator[Chunk]:
    with progress.bar(f"reading {files[0].name} to {files[-1].name}", len(files), "files") as advance:
        for file in files:
            with file.open() as (stream, _, _):
                yield from _ratings(file, stream)
            advance(1)


def _in_archive(archive: RawFile) -> Iterator[Chunk]:
    """The ratings in the archive's files, in its order."""
    label = f"reading {archive.name}"
    with archive.open() as (stream, total, position), progress.bar(label, total >> 20, "MiB") as advance:
        done = 0
        try:
            with tarfile.open(fileobj=stream, mode="r:") as members:
                for member in members:
                    content = members.extractfile(member)
                    if content and PurePosixPath(member.name).match(MOVIE_FILES):
                        yield from _ratings(RawFile(archive.path, member.name), content)
                    advance((position() >> 20) - done)
                    done = position() >> 20
                # A header that is cut off or damaged ends the members without an error.
                stream.seek(members.offset)
                if stream.read(len(END)) != END:
                    raise tarfile.ReadError("it ends before its last file, or a file's header is damaged")
        except tarfile.TarError as error:
            raise InputError(
                f"{archive} is damaged or no tar archive ({error}): get the file again"
            ) from error


def _ratings(file: RawFile, stream: IO[bytes]) -> Iterator[Chunk]:
    """The ratings of a file; a movie's may begin in one block and go on in the next."""
    movie, before = -1, 0
    for block in _blocks(stream):
        lines = _Lines(file, block, before)
        movies = np.concatenate(([movie], lines.movies()))
        which = np.cumsum(lines.is_movie)[lines.is_rating]
        if len(which) and movies[which[0]] < 0:
            raise lines.wrong(lines.is_rating, "no line 'movie:' stands before the rating")
        user, rating, day = lines.ratings()
        yield Chunk(user, movies[which], day, rating=rating)
        movie, before = int(movies[-1]), before + len(lines.start)


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, each with a line feed, about `BLOCK_BYTES` at a time."""
    rest = b""
    while read := stream.read(BLOCK_BYTES):
        whole, feed, rest = (rest + read).rpartition(b"\n")
        if feed:
            yield whole + feed
    if rest:
        yield rest + b"\n"


class _Lines:
    """Consecutive lines of a file, parsed all at once."""

    def __init__(self, file: RawFile, block: bytes, before: int) -> None:
        self.file, self.before = file, before
        self.text = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(self.text == ord("\n"))
        self.start = np.concatenate(([0], ends[:-1] + 1))
        returns = (self.text[ends - 1] == ord("\r")) & (ends > self.start)
        self.stop = ends - returns
        filled = self.stop > self.start
        self.is_movie = filled & (self.text[self.stop - 1] == ord(":"))
        self.is_rating = filled & ~self.is_movie

    def movies(self) -> Integers:
        """The movie of each line `movie:`."""
        of = self.is_movie
        movies, wrong = self._numbers(self.start[of], self.stop[of] - 1)
        self._check(of, wrong, "is no movie, as '1:' is")
        return movies

    def ratings(self) -> tuple[Integers, npt.NDArray[np.float32], Integers]:
        """Customer, rating and unix seconds of the day, for each other line."""
        of = self.is_rating
        start, stop = self.start[of], self.stop[of]
        tail = stop - TAIL
        short = tail <= start
        tail = np.maximum(tail, 0)
        user, wrong = self._numbers(start, tail)
        for place, mark in ((0, ","), (2, ","), (7, "-"), (10, "-")):
            wrong |= self.text[tail + place * ~short] != ord(mark)
        parts = []
        for first, last in ((1, 2), (3, 7), (8, 10), (11, 13)):
            number, not_one = self._numbers(tail + first * ~short, tail + last * ~short)
            wrong |= not_one
            parts.append(number)
        rating, year, month, day = parts
        wrong |= (rating < 1) | (rating > MOST_STARS)
        self._check(of, wrong, "is no rating, as '1488844,3,2005-09-06' is")
        date = year * 10_000 + month * 100 + day
        return user, rating.astype(np.float32), from_dates(date, self.file, self.before + np.flatnonzero(of))

    def _numbers(self, start: Integers, stop: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """The whole numbers between places, int64[n], and which of them are none."""
        value = np.zeros(len(start), dtype=np.int64)
        wrong = (stop <= start) | (stop - start > DIGITS)
        for place in range(min(DIGITS, int((stop - start).max(initial=0)))):
            at = stop - 1 - place
            inside = at >= start
            digit = self.text[np.maximum(at, 0)].astype(np.int64) - ord("0")
            wrong |= inside & ((digit < 0) | (digit > 9))
            value += np.where(inside, digit * 10**place, 0)
        return value, wrong

    def _check(self, of: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_], what: str) -> None:
        if wrong.any():
            lines = np.zeros(len(of), dtype=np.bool_)
            lines[np.flatnonzero(of)[wrong]] = True
            at = int(np.argmax(lines))
            found = bytes(self.text[self.start[at] : self.stop[at]])[:40].decode("latin-1")
            raise self.wrong(lines, f"'{found}' {what}")

    def wrong(self, lines: npt.NDArray[np.bool_], what: str) -> InputError:
        """What is wrong in the first of the `lines`, bool[n]."""
        line = self.before + int(np.argmax(lines)) + 1
        return InputError(f"{self.file}, line {line}: {what}; get the file again")


def _years(titles: RawFile, ids: npt.NDArray[np.object_]) -> Features:
    """The year of each movie of `ids`, object[n]."""
    import pyarrow as pa

    with titles.open() as (stream, _, _):
        lines = stream.read().decode("latin-1").split("\n")
    years = {}
    for number, line in enumerate(lines, 1):
        movie, _, rest = line.partition(",")
        year, comma, _ = rest.partition(",")
        if line.strip() and not (movie.isdecimal() and comma and (year.isdecimal() or year == "NULL")):
            raise InputError(f"{titles}, line {number}: '{line:.40}' is no movie; get the file again")
        years[movie] = year
    return describe.features(pa.table({"year": pa.array(map(years.get, ids), pa.string())}), ("year",))


SOURCES = (
    Source(
        NAME,
        ("time", "next-item", "random"),
        holds,
        load,
        Download(
            {},
            (),
            "get combined_data_1.txt to combined_data_4.txt and movie_titles.csv from "
            "https://www.kaggle.com/datasets/netflix-inc/netflix-prize-data, which needs an account, or "
            f"{ARCHIVE} and movie_titles.txt of the original, and put them into <data-dir>/{NAME}",
        ),
        absent="manual download",
        users=480_189,
        items=17_770,
        interactions=100_480_507,
        license="research only; no redistribution, no commercial use",
    ),
)
