"""MIND (Wu et al., ACL 2020): clicks on news, by the hour they were shown.

A part, `train` or `dev`, is a folder or a zip, `MINDsmall_train` and so on, whose files may lie in a
folder of the same name once more. Its tables have tabs, no header and no quoting: quotes are characters.

- `behaviors.tsv`: impression id, user, time (`11/15/2019 10:22:32 AM`), history, impressions. `N1-1` is a
  news that was clicked, `N9-0` one that was only shown. A click is an interaction. Impression ids begin
  anew in each file.
- The history is what a user had clicked before the log, repeated on each of the user's lines; it may be
  empty. It counts once. Its clicks have no times: they stand in their order, a second apart, before the
  first time of the log.
- `news.tsv`: id, category, subcategory, and six more columns. Each part lists other news: all of them are
  described.

The clicks of `dev` are the test part. News that the training part shows are listed: at the beginning of
`dev` they are known, clicked or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import Layout, RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.log import TEST, TRAIN
from retrieval_leaderboard.datasets.sources import archives, describe
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Integers, Tally, find, from_text, texts
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

PARTS = ("train", "dev")
BEHAVIORS = Layout(("impression", "user", "time", "history", "shown"), "\t", quoted=False)
TYPES = dict.fromkeys(("user", "time", "history", "shown"), "string")
NEWS = Layout(
    ("id", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities"),
    "\t",
    quoted=False,
)
TIME = "%m/%d/%Y %I:%M:%S %p"
DAY = 86_400


def holds(folder: Path, size: str) -> bool:
    """Whether a folder has both parts of a size, packed or not."""
    names = ("behaviors.tsv", "news.tsv")
    return all(_find(folder, size, part, name) for part in PARTS for name in names)


def load(folder: Path, size: str) -> ChunkedLog:
    """The clicks of both parts of a size, `small` or `large`.

    Raises:
        InputError: a missing file, one of another format (file and line, or row), or a part without labels.
    """
    files = {part: _need(folder, size, part, "behaviors.tsv") for part in PARTS}
    news = [_need(folder, size, part, "news.tsv") for part in PARTS]
    reader = _Reader(files, *_survey(files))

    def describe_items(ids: npt.NDArray[np.object_]) -> Features:
        columns = ("category", "subcategory")
        described = describe.table(news, "id", columns, NEWS, text_key=True)
        return describe.features(describe.rows_of(ids, described, "id"), columns)

    return ChunkedLog(
        f"mind-{size}",
        reader.chunks,
        listed_items=reader.listed,
        describe_items=describe_items,
        periods=reader.periods,
        notes=("the clicks of users' histories have no times: they stand in order before the log's first",),
        reading=reader.tally.reading,
    )


@dataclass
class _Reader:
    """One pass over the parts."""

    files: dict[str, RawFile]
    begin: int
    """The first time of the log"""
    periods: tuple[int, int]
    listed: pa.Array
    """News that the training part shows"""
    tally: Tally = field(default_factory=lambda: Tally("by " + TIME))

    def chunks(self) -> Iterator[Chunk]:
        self.tally.restart()
        met: set[str] = set()
        for part, file in self.files.items():
            before = 0
            for batch in read_columns(file, TYPES, BEHAVIORS):
                yield self._histories(batch, met)
                yield self._clicks(file, batch, before, TEST if part == "dev" else TRAIN)
                before += len(batch)

    def _histories(self, batch: pa.RecordBatch, met: set[str]) -> Chunk:
        """What the users that are not `met` yet had clicked before the log; they are met then."""
        import pyarrow.compute as pc

        first: dict[str, int] = {}
        for row, user in enumerate(batch.column("user").to_pylist()):
            if user not in met:
                first.setdefault(user, row)
        met.update(first)
        batch = batch.take(list(first.values()))
        clicked = pc.utf8_split_whitespace(batch.column("history"))
        line = pc.list_parent_indices(clicked).to_numpy()
        lengths = np.bincount(line, minlength=len(first))
        back = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(line))  # 1 is the latest
        self.tally.rows += len(line)
        return Chunk(
            batch.column("user").take(line),
            pc.list_flatten(clicked),
            self.begin - back,
            part=_parts(line, TRAIN),
        )

    def _clicks(self, file: RawFile, batch: pa.RecordBatch, before: int, part: int) -> Chunk:
        import pyarrow.compute as pc

        row, news, clicked = _shown(file, batch, before)
        self.tally.rows += len(row)
        at = self.tally.keep(clicked, "shown and not clicked")
        row = row[at]
        user = texts(batch, "user", file, before).take(row)
        times = from_text(batch.column("time"), TIME, file, before)
        return Chunk(user, pc.take(news, at), times[row], part=_parts(row, part))


def _survey(files: dict[str, RawFile]) -> tuple[int, tuple[int, int], pa.Array]:
    """The first time of all, the periods, and the news that the training part shows.

    The test period begins with the part `dev`; the validation period is the last day of the other.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    times: dict[str, list[int]] = {part: [] for part in PARTS}
    shown = [pa.array([], pa.string())]
    for part, file in files.items():
        before = 0
        for batch in read_columns(file, TYPES, BEHAVIORS):
            seconds = from_text(batch.column("time"), TIME, file, before)
            times[part] += [int(seconds.min()), int(seconds.max())]
            if part == "train":
                shown.append(pc.unique(_shown(file, batch, before)[1]))
            before += len(batch)
    last = max(times["train"])
    begin = min(min(each) for each in times.values())
    return begin, (last - last % DAY, min(times["dev"])), pc.unique(pa.chunked_array(shown))


def _shown(
    file: RawFile, batch: pa.RecordBatch, before: int
) -> tuple[Integers, pa.Array, npt.NDArray[np.bool_]]:
    """The row, id and label of all news that are shown."""
    import pyarrow.compute as pc

    entries = pc.utf8_split_whitespace(batch.column("shown"))
    row = pc.list_parent_indices(entries).to_numpy()
    labeled = pc.list_flatten(entries)
    clicked = pc.ends_with(labeled, "-1").to_numpy(zero_copy_only=False)
    bare = ~(clicked | pc.ends_with(labeled, "-0").to_numpy(zero_copy_only=False))
    if bare.any():
        at = int(np.argmax(bare))
        raise InputError(
            f"{file}, row {before + row[at] + 1}: '{labeled[at].as_py():.40}' has no label, as in MIND's "
            "test part; give the parts train and dev"
        )
    return row, pc.utf8_slice_codeunits(labeled, 0, -2), clicked


def _parts(row: Integers, part: int) -> npt.NDArray[np.uint8]:
    return np.full(len(row), part, dtype=np.uint8)


def _find(folder: Path, size: str, part: str, name: str) -> RawFile | None:
    """A file of a part: in the part's folder, or in its zip."""
    stem = f"MIND{size}_{part}"
    archive = folder / f"{stem}.zip"
    if (below := find(folder / stem, name)) or not archive.is_file():
        return below
    with archives.opened(archive) as packed:
        members = [each for each in packed.namelist() if PurePosixPath(each).name == name]
    return RawFile(archive, members[0]) if members else None


def _need(folder: Path, size: str, part: str, name: str) -> RawFile:
    found = _find(folder, size, part, name)
    if found is None:
        raise InputError(f"{folder} has no {name} of MIND{size}_{part}, a zip or a folder; get it again")
    return found


def _source(size: str, train: str, dev: str) -> Source:
    """A size of MIND; `train` and `dev` are the digests of its archives."""
    archives = {f"MIND{size}_train.zip": train, f"MIND{size}_dev.zip": dev}
    return Source(
        f"mind-{size}",
        ("published", "time"),
        partial(holds, size=size),
        partial(load, size=size),
        Download(
            archives,
            ("https://recodatasets.z20.web.core.windows.net/newsrec/{file}",),
            f"get {' and '.join(archives)} from https://msnews.github.io, and put them into "
            f"<data-dir>/mind-{size}",
            unpack=False,
        ),
        license="Microsoft Research License Terms: research, not commercial",
    )


SOURCES = (
    _source("small", "md5:bd6ae77fa15949653f39829e946d327c", "md5:1c9e798fe440c1999547211cd5245e3e"),
    _source("large", "md5:0bfe5f08404a69b2bd76721e7b7f7d5d", "md5:64b9fc265c16814ba0f470542ef6cd69"),
)
