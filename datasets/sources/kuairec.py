"""KuaiRec (Gao et al., CIKM 2022): watches of short videos, and the fully observed matrix of 1,411 users.

The matrices are CSV with the header
`user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio`; `timestamp` is in seconds
with fractions. A watch is an interaction where `watch_ratio` is 2 or more: the video was played twice,
which is what public code that trains on the big and tests on the small matrix takes for interest. What is
particular:

- `small_matrix.csv` has nearly every pair of its users and videos. Its users are a subset of those of
  `big_matrix.csv`; its times are empty in part of the rows.
- `big_matrix.csv` repeats pairs, one of them 2,224 times.
- `item_categories.csv` writes lists as "[27, 9]".
- Version 2 dropped the video 1225, which nobody watched, and gave those after it the number before: the
  ids of the two versions differ. Files of both in one folder are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.log import TEST, TRAIN
from retrieval_leaderboard.datasets.sources import describe, raw
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.kuai import user_features
from retrieval_leaderboard.datasets.sources.raw import Integers, Tally, find, from_milliseconds, need, numbers
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

BIG, SMALL, CATEGORIES, USERS = (
    "big_matrix.csv",
    "small_matrix.csv",
    "item_categories.csv",
    "user_features.csv",
)
PLAYED = 2.0
"""The watch ratio from which on a watch is an interaction"""
LARGEST = 2**63 - 1
"""Stands after all pairs"""
DROPPED_VIDEO, LAST_VIDEO = 1225, 10_727
"""The video that version 2 dropped, and the largest id since"""
TYPES = {
    "user_id": "int64",
    "video_id": "int64",
    "video_duration": "double",
    "timestamp": "double",
    "watch_ratio": "double",
}
LOW = f"watched less than {PLAYED:g} times their length"
ASKED = "of the big matrix whose pair is a test pair"


def load_big(folder: Path) -> ChunkedLog:
    """The watches of the big matrix alone.

    Raises:
        InputError: a missing file, one of another format (file and line), or files of two versions.
    """
    return _Reader(folder, "kuairec-big").log()


def load(folder: Path) -> ChunkedLog:
    """The watches of the big matrix, without pairs that are asked for, and those of the small matrix as test.

    Raises:
        InputError: as `load_big`.
    """
    return _Reader(folder, "kuairec", need(folder, SMALL)).log()


@dataclass
class _Reader:
    """One pass over the matrices."""

    folder: Path
    name: str
    small: RawFile | None = None
    tally: Tally = field(default_factory=lambda: Tally("seconds since 1970"))
    latest: int = 0
    """The latest time of the big matrix, in milliseconds: a test row without time has it"""

    def log(self) -> ChunkedLog:
        self.described = describe.table([need(self.folder, CATEGORIES)], "video_id", ["feat"], text_key=False)
        self.last_video = int(self.described["video_id"].to_numpy().max(initial=-1))
        self.version = 2 if self.last_video <= LAST_VIDEO else 1
        users = find(self.folder, USERS)
        untimed = "a test row without a time has the last of the training rows"
        return ChunkedLog(
            self.name,
            self.chunks,
            describe_users=(lambda ids: user_features(users, ids)) if users else None,
            describe_items=self._item_features,
            title=f"{self.name}, version {self.version}",
            notes=(untimed,) if self.small else (),
            reading=self.tally.reading,
        )

    def chunks(self) -> Iterator[Chunk]:
        self.tally.restart()
        self.latest = 0
        asked, lengths = (None, None) if self.small is None else self._asked(self.small)
        big = need(self.folder, BIG)
        for batch in read_columns(big, TYPES):
            yield self._chunk(big, batch, asked, lengths)
        if self.small is not None:
            for batch in read_columns(self.small, TYPES):
                yield self._chunk(self.small, batch)

    def _asked(self, small: RawFile) -> tuple[Integers, npt.NDArray[np.float64]]:
        """The test pairs of the small matrix, sorted, and the length of each video there, NaN if none."""
        lengths = np.full(self.last_video + 1, np.nan)
        pairs = []
        for batch in read_columns(small, TYPES):
            video = self._videos(small, batch)
            lengths[video] = batch.column("video_duration").to_numpy(zero_copy_only=False)
            pairs.append(_pairs(batch)[_played(batch)])
        return np.sort(np.concatenate([*pairs, [LARGEST]])), lengths

    def _chunk(
        self,
        file: RawFile,
        batch: pa.RecordBatch,
        asked: Integers | None = None,
        lengths: npt.NDArray[np.float64] | None = None,
    ) -> Chunk:
        video = self._videos(file, batch)
        if lengths is not None:
            _check_lengths(file, batch, lengths)
        self.tally.rows += len(batch)
        rows = self.tally.keep(_played(batch), LOW)
        if asked is not None:
            here = _pairs(batch)[rows]
            rows = rows[self.tally.keep(asked[np.searchsorted(asked, here)] != here, ASKED)]
        seconds, nanoseconds = from_milliseconds(self._times(file, batch, rows))
        chunk = Chunk(numbers(batch, "user_id")[rows], video[rows], seconds, nanoseconds)
        if self.small is None:
            return chunk
        part = TEST if file is self.small else TRAIN
        return replace(chunk, part=np.full(len(rows), part, dtype=np.uint8))

    def _videos(self, file: RawFile, batch: pa.RecordBatch) -> Integers:
        video = numbers(batch, "video_id")
        if video.max(initial=-1) > self.last_video or (self.version == 1 and (video == DROPPED_VIDEO).any()):
            raise _mixed(f"{file} has other videos than {CATEGORIES}")
        return video

    def _times(self, file: RawFile, batch: pa.RecordBatch, rows: Integers) -> Integers:
        """Milliseconds since 1970 of `rows`, int64[n]."""
        seconds = batch.column("timestamp").to_numpy(zero_copy_only=False)[rows]
        missing = np.isnan(seconds)
        if missing.any() and file is not self.small:
            raise InputError(f"{file} has watches without a time; get it again")
        times = np.where(missing, self.latest, np.round(seconds * 1000)).astype(np.int64)
        if file is not self.small:
            self.latest = max(self.latest, int(times.max(initial=0)))
        return times

    def _item_features(self, ids: npt.NDArray[np.object_]) -> Features:
        import pyarrow as pa
        import pyarrow.compute as pc

        found = describe.rows_of(ids, self.described, "video_id")
        text = pc.replace_substring_regex(found["feat"], r"[\[\]\s]", "")
        return describe.features(pa.table({"categories": pc.split_pattern(text, ",")}), (), ("categories",))


def _played(batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """bool[n]: which rows are interactions; one without a ratio is none."""
    played: npt.NDArray[np.bool_] = batch.column("watch_ratio").to_numpy(zero_copy_only=False) >= PLAYED
    return played


def _pairs(batch: pa.RecordBatch) -> Integers:
    """int64[n]: a number for each pair of user and video."""
    return numbers(batch, "user_id") << 32 | numbers(batch, "video_id")


def _check_lengths(file: RawFile, batch: pa.RecordBatch, lengths: npt.NDArray[np.float64]) -> None:
    """Refuse files in which the videos of one number mostly have different lengths."""
    here = batch.column("video_duration").to_numpy(zero_copy_only=False)
    there = lengths[numbers(batch, "video_id")]
    known = ~np.isnan(here) & ~np.isnan(there)
    if (here[known] != there[known]).sum() > known.sum() / 2:
        raise _mixed(f"the videos of {file} have other lengths than in {SMALL}")


def _mixed(found: str) -> InputError:
    return InputError(f"{found}: they are of two versions of KuaiRec, whose ids differ; get all files of one")


def _source(name: str, protocols: tuple[str, ...], read: Callable[[Path], ChunkedLog], *more: str) -> Source:
    """A dataset of KuaiRec's files, which need `more` than those of all."""
    return Source(
        name,
        protocols,
        raw.holds(BIG, CATEGORIES, *more),
        read,
        Download(
            {},
            (),
            "get KuaiRec.zip from https://zenodo.org/records/18164998, and unpack it, or leave it packed, in "
            "<data-dir>/kuairec",
        ),
        folder="kuairec",
        absent="manual download",
        license="CC BY-SA 4.0",
    )


SOURCES = (
    _source("kuairec", ("published",), load, SMALL),
    _source("kuairec-big", IN_TIME, load_big),
)
