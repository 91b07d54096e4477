"""Amazon's reviews of 2014, 2018 and 2023 (McAuley et al.), a category at a time.

Every review is an interaction, whatever its rating. The files of the three years look alike:

- 2014: `ratings_CDs_and_Vinyl.csv`, no header, user, item, rating, time in seconds. `reviews_…_5.json.gz` are
  5-core, an object a line.
- 2018: `Video_Games.csv`, no header, item, user (in this order), rating, time in seconds.
  `Video_Games_5.json.gz` is 5-core.
- 2023: `Video_Games.csv.gz`, with the header `user_id,parent_asin,rating,timestamp`, or without one if it was
  downloaded before 2024-02-25; times are milliseconds. `Video_Games.train.csv.gz`, `.valid.csv.gz` and
  `.test.csv.gz` are splits, `last_out` and `timestamp`, of the same form; they keep their parts.

Which one a file is of is told by its content. Times of 2014 and 2018 are days. Ids are text, as `0001713353`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval_leaderboard.datasets.aliec.raw_files import CSV, Layout, RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.log import TEST, TRAIN, VALID
from retrieval_leaderboard.datasets.sources import json_lines
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Integers, Tally, from_milliseconds, texts
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source
from retrieval_leaderboard.datasets.splits.registry import GIVEN
from retrieval_leaderboard.datasets.tables.files import inside
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

FILE = re.compile(
    r"(?!meta_)(?:ratings_|reviews_)?(?P<category>.+?)(?P<core>_5)?"
    r"(?P<part>\.train|\.valid|\.test|)\.(?:csv|json)(?:\.gz)?"
)
PARTS = {".train": TRAIN, ".valid": VALID, ".test": TEST}
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

    @property
    def unit(self) -> str:
        """Of the times."""
        return "milliseconds" if self.fine else "seconds"


_ORDER = ("user", "item", "rating", "time")
_FIELDS = ("reviewerID", "asin", "overall", "unixReviewTime")
_HEADER = ("user_id", "parent_asin", "rating", "timestamp")


def holds(folder: Path) -> bool:
    """Whether a folder has a file of a category."""
    return any(FILE.fullmatch(path.name) for path in _files(folder))


def load(folder: Path, year: int) -> ChunkedLog:
    """The reviews of the one category whose file, or whose three files of a split, is in a folder.

    Raises:
        InputError: files of two categories, one of another year or of no year that is known, a part of a
            split that is missing, or a row that does not fit (file and line, or row).
    """
    files = _of_one_category(folder)
    reader = _Reader([Part(file, _form(file, year), part) for file, part in files])
    return ChunkedLog(
        f"amazon-{year}-{_category(folder, files[0][0])}", reader.chunks, reading=reader.tally.reading
    )


@dataclass(frozen=True)
class Part:
    """A file, and the part of a split that it is, if it is one."""

    file: RawFile
    form: Form
    part: int | None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows of the file."""
        types = dict(zip(self.form.columns, ("string", "string", "double", "int64"), strict=True))
        if self.form.layout is None:
            return json_lines.read(self.file, types)
        return read_columns(self.file, types, self.form.layout)

    def chunk(self, batch: pa.RecordBatch, before: int) -> Chunk:
        """Rows of the file, of which others were read `before` them."""
        user, item, rating, time = (texts(batch, name, self.file, before) for name in self.form.columns)
        times = self._in_size(time.to_numpy(), before)
        seconds, nanoseconds = from_milliseconds(times) if self.form.fine else (times, None)
        return Chunk(
            user,
            item,
            seconds,
            nanoseconds,
            rating.to_numpy().astype(np.float32),
            part=None if self.part is None else np.full(len(batch), self.part, dtype=np.uint8),
        )

    def _in_size(self, times: Integers, before: int) -> Integers:
        """`times`, which must all be in milliseconds, or all in seconds."""
        wrong = (times >= MILLISECONDS) != self.form.fine
        if wrong.any():
            at = int(np.argmax(wrong))
            raise InputError(
                f"{self.file}, row {before + at + 1}: the time {times[at]} is not in {self.form.unit}, as "
                "others are; get the file again"
            )
        return times


@dataclass
class _Reader:
    """One pass over the files."""

    parts: list[Part]
    tally: Tally = field(default_factory=Tally)

    def chunks(self) -> Iterator[Chunk]:
        self.tally.restart()
        self.tally.times = f"{self.parts[0].form.unit} since 1970"
        for part in self.parts:
            before = 0
            for batch in part.batches():
                yield part.chunk(batch, before)
                before += len(batch)
            self.tally.rows += before


def _files(folder: Path) -> list[Path]:
    """All files of a folder and those below it; of a file that is both plain and gzipped the plain one."""
    paths = {path for path in inside(folder) if path.is_file()}
    return sorted(path for path in paths if path.suffix != ".gz" or path.with_suffix("") not in paths)


def _of_one_category(folder: Path) -> list[tuple[RawFile, int | None]]:
    """A file of all reviews, or the three of a split with their parts."""
    found: dict[tuple[Path, bool], dict[str, Path]] = {}
    for path in _files(folder):
        if match := FILE.fullmatch(path.name):
            part = match["part"]
            whole = path.with_name(path.name.removesuffix(".gz").replace(part, "") if part else path.name)
            found.setdefault((whole, bool(part)), {})[part] = path
    if len(found) > 1:
        one, other = (next(iter(files.values())) for files in islice(found.values(), 2))
        raise InputError(
            f"{one} and {other} are two files of reviews; leave one category in the folder, whole or split, "
            "and give another a --data-dir of its own"
        )
    files = next(iter(found.values()), {})
    if "" not in files and (lacking := PARTS.keys() - files):
        raise InputError(f"{folder} has no file of reviews that ends in {min(lacking)}.csv; get all three")
    return [(RawFile(path), PARTS.get(part)) for part, path in files.items()]


def _category(folder: Path, file: RawFile) -> str:
    """The category a file is named after, as a dataset's name has it; with "5core" if it is of that cut."""
    found = FILE.fullmatch(file.path.name)
    assert found is not None
    core = found["core"] or "5core" in file.path.relative_to(folder).parts
    category = re.sub("[^a-z0-9]+", "-", found["category"].lower()).strip("-")
    return f"{category}-5core" if core else category


def _form(file: RawFile, year: int) -> Form:
    """How a file of a year is written."""
    form = _json_form(file) if ".json" in file.path.suffixes else _csv_form(file)
    if form is None:
        raise InputError(f"{file} has the form of no year of Amazon's reviews; get it again")
    if form.year != year:
        raise InputError(
            f"{file} is of Amazon's reviews of {form.year}; put it into a folder amazon-{form.year} beside "
            f"that of {year}, and give amazon-{form.year}"
        )
    return form


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


def _source(year: int, files: str, where: str, *more: str) -> Source:
    """Reviews of a year: `files`, of one category each, where they are, and `more` protocols."""
    return Source(
        f"amazon-{year}",
        (*IN_TIME, *more),
        holds,
        partial(load, year=year),
        Download({}, (), f"get {files} of a category from {where}, and put it into <data-dir>/amazon-{year}"),
        absent="manual download",
        counts=PUBLISHED,
    )


SOURCES = (
    _source(2014, "ratings_….csv", "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles"),
    _source(
        2018,
        "the ratings (.csv) or the 5-core (_5.json.gz)",
        "https://cseweb.ucsd.edu/~jmcauley/datasets/amazon_v2",
    ),
    _source(
        2023,
        "0core/rating_only/….csv.gz",
        "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/benchmark",
        GIVEN,
    ),
)
