"""KuaiRand (Gao et al., CIKM 2022): short videos shown by a recommender, and some shown at random.

Sizes `pure`, `1k` and `27k` have the same files. Logs are CSV with the header
`user_id,video_id,date,hourmin,time_ms, is_click,…,is_rand,tab`, a row for each video shown; a click is an
interaction. Those of the recommender are `log_standard_4_08_to_4_21_<size>.csv` and
`log_standard_4_22_to_5_08_<size>.csv`, of 27k in parts `…_part1.csv`, …; the others
`log_random_4_22_to_5_08_<size>.csv`. `time_ms` is in milliseconds.

Ids are those of the size and release at hand: files of several must not be mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.log import TEST, TRAIN
from retrieval_leaderboard.datasets.sources import describe
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.kuai import user_features
from retrieval_leaderboard.datasets.sources.raw import Tally, find, from_milliseconds, numbers
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source
from retrieval_leaderboard.support.errors import InputError

BEFORE, DURING, RANDOM = "log_standard_4_08_to_4_21", "log_standard_4_22_to_5_08", "log_random_4_22_to_5_08"
TYPES = {"user_id": "int64", "video_id": "int64", "time_ms": "int64", "is_click": "int64"}
ITEM_COLUMNS = ("video_type", "upload_type", "music_type")
DESCRIBED = ("pure", "1k")
"""The sizes whose videos are described; 27k's table of 32 million would not fit beside its log"""


def holds(size: str, *logs: str) -> Callable[[Path], bool]:
    """Whether a folder has all of `logs` in a size."""
    return lambda folder: all(_parts(folder, f"{log}_{size}") for log in logs)


def load(folder: Path, size: str) -> ChunkedLog:
    """The clicks on what the recommender showed, from April 8th to May 8th, 2022.

    Raises:
        InputError: a missing part, or a file of another format (file and line).
    """
    return _log(folder, f"kuairand-{size}", size, {BEFORE: None, DURING: None})


def load_unbiased(folder: Path, size: str) -> ChunkedLog:
    """The recommender's clicks up to April 21st, and those on randomly shown videos after it as test.

    Raises:
        InputError: as `load`.
    """
    return _log(folder, f"kuairand-{size}-unbiased", size, {BEFORE: TRAIN, RANDOM: TEST})


def _log(folder: Path, name: str, size: str, part_of: dict[str, int | None]) -> ChunkedLog:
    tally = Tally("milliseconds since 1970")
    files = [(file, part) for log, part in part_of.items() for file in _parts(folder, f"{log}_{size}")]

    def chunks() -> Iterator[Chunk]:
        tally.restart()
        for file, part in files:
            for batch in read_columns(file, TYPES):
                tally.rows += len(batch)
                rows = tally.keep(numbers(batch, "is_click") == 1, "not clicked")
                yield Chunk(
                    numbers(batch, "user_id")[rows],
                    numbers(batch, "video_id")[rows],
                    *from_milliseconds(numbers(batch, "time_ms")[rows]),
                    part=None if part is None else np.full(len(rows), part, dtype=np.uint8),
                )

    users = find(folder, f"user_features_{size}.csv")
    items = find(folder, f"video_features_basic_{size}.csv") if size in DESCRIBED else None
    return ChunkedLog(
        name,
        chunks,
        describe_users=(lambda ids: user_features(users, ids)) if users else None,
        describe_items=(lambda ids: _item_features(items, ids)) if items else None,
        reading=tally.reading,
    )


def _parts(folder: Path, stem: str) -> list[RawFile]:
    """The file of a log, or its parts in their order; none where there is none."""
    if whole := find(folder, f"{stem}.csv"):
        return [whole]
    parts: list[RawFile] = []
    while part := find(folder, f"{stem}_part{len(parts) + 1}.csv"):
        parts.append(part)
    if find(folder, f"{stem}_part{len(parts) + 2}.csv"):
        raise InputError(f"{folder} lacks {stem}_part{len(parts) + 1}.csv, and has a later part; get it")
    return parts


def _item_features(file: RawFile, ids: npt.NDArray[np.object_]) -> Features:
    import pyarrow.compute as pc

    described = describe.table([file], "video_id", (*ITEM_COLUMNS, "tag"), text_key=False)
    found = describe.rows_of(ids, described, "video_id")
    found = found.append_column("tags", pc.split_pattern(found["tag"], ","))
    return describe.features(found, ITEM_COLUMNS, ("tags",))


def _sources(size: str, archive: str, digest: str) -> tuple[Source, Source]:
    """The two datasets of a size of KuaiRand."""
    name = f"kuairand-{size}"
    during = Source(
        name,
        IN_TIME,
        holds(size, BEFORE, DURING),
        partial(load, size=size),
        Download(
            {archive: digest},
            (),
            f"get {archive} from https://zenodo.org/records/10439422, and unpack it in <data-dir>/{name}",
        ),
        absent="manual download",
        license="CC BY-SA 4.0",
    )
    unbiased = replace(
        during,
        name=f"{name}-unbiased",
        protocols=("published",),
        holds=holds(size, BEFORE, RANDOM),
        read=partial(load_unbiased, size=size),
    )
    return during, unbiased


SOURCES = (
    *_sources("pure", "KuaiRand-Pure.tar.gz", "md5:0820331067a3784d9691136f772b35a7"),
    *_sources("1k", "KuaiRand-1K.tar.gz", "md5:6b0b9c8222d67fcd4c676218edca3f1f"),
    *_sources("27k", "KuaiRand-27K.tar.gz", "md5:3e3c799a24e2d23a4d2c757fbf9adf59"),
)
