"""Amazon's reviews of 2014, 2018 and 2023 (McAuley et al.), a category at a time.

Every review is an interaction, whatever its rating. The files of the three years look alike:

- 2014: `ratings_CDs_and_Vinyl.csv`, no header, user, item, rating, time in seconds. `reviews_…_5.json.gz` are
  5-core, an object a line.
- 2018: `Video_Games.csv`, no header, item, user (in this order), rating, time in seconds.
  `Video_Games_5.json.gz` is 5-core.
- 2023: `Video_Games.csv.gz`, with the header `user_id,parent_asin,rating,timestamp`, or without one if it was
  downloaded before 2024-02-25; times are milliseconds.

Which one a file is of is told by its content. Times of 2014 and 2018 are days. Ids are text, as `0001713353`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval_leaderboard.datasets.aliec.raw_files import CSV, Layout, RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.sources import json_lines
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Integers, Tally, from_milliseconds, texts
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

FILE = re.compile(r"(?!meta_)(?:ratings_|reviews_)?(?P<category>.+?)(?P<core>_5)?\.(?:csv|json)(?:\.gz)?")
PART = re.compile(r".+\.(?:train|valid|test)\.csv(?:\.gz)?")
USER, ITEM = re.compile(r"A[0-9A-Z]{9,}"), re.compile(r"B[0-9A-Z]{9}|[0-9]{9}[0-9X]")
"""What all users and most items look like; none looks like both"""
USERS, ITEMS = 0.9, 0.5
"""The shares of the values of a column that look like users, or items, if it is theirs"""
MILLISECONDS = 10**11
"""The least number that is a time in milliseconds; seconds are below"""
SAMPLE_BYTES, SAMPLE_OBJECTS = 1 << 20, 1_000
OWN_FIELDS = {2014: "helpful", 2018: "verified"}
"""Year → a field of its objects that those of the other do not have"""
PUBLISHED = {
    "amazon-2023-baby-products": (3_386_206, 217_654, 5_953_891),
    "amazon-2023-beauty-and-personal-care": (11_325_787, 1_028_731, 23_591_312),
    "amazon-2023-books": (10_297_355, 4_446_065, 29_139_329),
    "amazon-2023-clothing-shoes-and-jewelry": (22_553_370, 7_216_886, 65_179_586),
    "amazon-2023-digital-music": (100_952, 70_511, 128_763),
    "amazon-2023-sports-and-outdoors": (10_331_141, 1_587_219, 19_349_403),
    "amazon-2023-toys-and-games": (8_116_226, 890_667, 16_052_440),
    "amazon-2023-video-games": (2_766_656, 137_249, 4_555_500),
}
"""Log of a category that is not filtered → its users, items and reviews"""


@dataclass(frozen=True)
class Form:
    """How a file is written."""

    year: int
    columns: tuple[str, str, str, str]
    """Of the user, the item, the rating and the time"""
    layout: Layout | None = CSV
    """Of the table; None for an object a line"""

    @property
    def fine(self) -> bool:
        """Whether times are in milliseconds."""
        return self.year == 2023


_ORDER = ("user", "item", "rating", "time")
_FIELDS = ("reviewerID", "asin", "overall", "unixReviewTime")
_HEADER = ("user_id", "parent_asin", "rating", "timestamp")


def holds(folder: Path) -> bool:
    """Whether a folder has a file of a category."""
    return any(FILE.fullmatch(path.name) for path in _files(folder))


def load(folder: Path, year: int) -> ChunkedLog:
    """The reviews of the one category whose file is in a folder.

    Raises:
        InputError: files of two categories, one of another year or of no year that is known, one of a split,
            or a row that does not fit (file and line, or row).
    """
    file = _only(folder)
    form = _json_form(file) if ".json" in file.path.suffixes else _csv_form(file)
    if form is None:
        raise InputError(f"{file} has the form of no year of Amazon's reviews; get it again")
    if form.year != year:
        raise InputError(
            f"{file} is of Amazon's reviews of {form.year}; put it into a folder amazon-{form.year} beside "
            f"{folder.name}, and give amazon-{form.year}"
        )
    reader = _Reader(file, form)
    return ChunkedLog(f"amazon-{year}-{_category(folder, file)}", reader.chunks, reading=reader.tally.reading)


@dataclass
class _Reader:
    """One pass over a file."""

    file: RawFile
    form: Form
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.tally.times = f"{'milli' if self.form.fine else ''}seconds since 1970"

    def chunks(self) -> Iterator[Chunk]:
        self.tally.restart()
        types = dict(zip(self.form.columns, ("string", "string", "double", "int64"), strict=True))
        for batch in self._batches(types):
            before = self.tally.rows
            user, item, rating, time = (texts(batch, each, self.file, before) for each in types)
            times = self._in_size(time.to_numpy(), before)
            seconds, nanoseconds = from_milliseconds(times) if self.form.fine else (times, None)
            yield Chunk(user, item, seconds, nanoseconds, rating.to_numpy().astype(np.float32))
            self.tally.rows += len(batch)

    def _batches(self, types: dict[str, str]) -> Iterator[pa.RecordBatch]:
        if self.form.layout is None:
            return json_lines.read(self.file, types)
        return read_columns(self.file, types, self.form.layout)

    def _in_size(self, times: Integers, before: int) -> Integers:
        """`times`, which must all be in milliseconds, or all in seconds."""
        wrong = (times >= MILLISECONDS) != self.form.fine
        if wrong.any():
            at = int(np.argmax(wrong))
            raise InputError(
                f"{self.file}, row {before + at + 1}: the time {times[at]} is not in {self.tally.times}, as "
                "others are; get the file again"
            )
        return times


def _files(folder: Path) -> list[Path]:
    """All files of a folder and those below it; of a file that is both plain and gzipped the plain one."""
    paths = {path for path in folder.rglob("*") if path.is_file()}
    return sorted(path for path in paths if path.suffix != ".gz" or path.with_suffix("") not in paths)


def _only(folder: Path) -> RawFile:
    paths = _files(folder)
    found = [path for path in paths if FILE.fullmatch(path.name) and not PART.fullmatch(path.name)]
    if len(found) > 1:
        raise InputError(
            f"{found[0]} and {found[1]} are two files of reviews; leave one category in the folder, and give "
            "another a --data-dir of its own"
        )
    if not found:
        part = next(filter(PART.fullmatch, (path.name for path in paths)), "no file of reviews")
        raise InputError(
            f"{folder} holds {part}; put the file of all reviews of a category there, or give files that "
            "come split as --train, --valid and --test"
        )
    return RawFile(found[0])


def _category(folder: Path, file: RawFile) -> str:
    """The category a file is named after, as a dataset's name has it; with "5core" if it is of that cut."""
    found = FILE.fullmatch(file.path.name)
    assert found is not None
    core = found["core"] or "5core" in file.path.relative_to(folder).parts
    category = re.sub("[^a-z0-9]+", "-", found["category"].lower()).strip("-")
    return f"{category}-5core" if core else category


def _csv_form(file: RawFile) -> Form | None:
    """By the header, else by which column looks like users, and by the size of the times."""
    with file.open() as (stream, _, _):
        sample = stream.read(SAMPLE_BYTES)
    lines = sample.decode("utf-8-sig", "replace").splitlines()
    rows = [line.split(",") for line in lines[: -1 if len(sample) == SAMPLE_BYTES else None]]
    header = bool(rows) and tuple(rows[0][: len(_HEADER)]) == _HEADER
    rows = [row for row in rows[header:] if len(row) >= len(_ORDER) and row[3].isdecimal()]
    fine = {int(row[3]) >= MILLISECONDS for row in rows}
    if header and fine == {True}:
        return Form(2023, _HEADER)
    if header or len(fine) != 1:
        return None
    if _look(rows, user=0, item=1):
        return Form(2023 if fine == {True} else 2014, _ORDER, Layout(_ORDER))
    if _look(rows, user=1, item=0) and fine == {False}:
        return Form(2018, _ORDER, Layout(("item", "user", "rating", "time")))
    return None


def _look(rows: list[list[str]], user: int, item: int) -> bool:
    """Whether the values of two columns look like users and like items."""
    users = sum(USER.fullmatch(row[user]) is not None for row in rows)
    items = sum(ITEM.fullmatch(row[item]) is not None for row in rows)
    return users >= USERS * len(rows) and items >= ITEMS * len(rows)


def _json_form(file: RawFile) -> Form | None:
    """By fields that one year alone has."""
    fields: set[str] = set()
    for _, found in islice(json_lines.objects(file), SAMPLE_OBJECTS):
        fields |= found.keys()
    years = [year for year, own in OWN_FIELDS.items() if own in fields]
    return Form(years[0], _FIELDS, None) if len(years) == 1 else None


def _source(year: int, files: str, where: str) -> Source:
    """Amazon's reviews of a year: `files`, of one category each, and where they are."""
    return Source(
        f"amazon-{year}",
        IN_TIME,
        holds,
        partial(load, year=year),
        Download({}, (), f"get {files} of a category from {where}, and put it into <data-dir>/amazon-{year}"),
        absent="manual download",
    )


SOURCES = (
    _source(
        2014,
        "ratings_….csv",
        "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles",
    ),
    _source(
        2018,
        "the ratings (.csv) or the 5-core (_5.json.gz)",
        "https://cseweb.ucsd.edu/~jmcauley/datasets/amazon_v2",
    ),
    replace(
        _source(
            2023,
            "0core/rating_only/….csv.gz",
            "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/benchmark",
        ),
        counts=PUBLISHED,
    ),
)
