"""Yelp Open Dataset: reviews of businesses.

`Yelp-JSON.zip` holds `Yelp JSON/yelp_dataset.tar`, which holds files with a JSON object on each line. They
are read where they lie, in the zip, in the tar or tgz, or unpacked, by the names of all releases:
`yelp_academic_dataset_review.json` or `review.json`. What is particular:

- `review.json` is mostly text, which is not kept. A review of 4 stars or more is an interaction. A user may
  review a business repeatedly.
- `categories` of a business is "A, B", null, or in releases before 2018 a list.
- `date` is `YYYY-MM-DD HH:MM:SS`, in releases before 2019 a day.
- `stars` and `review_count` of businesses and users are counted over all time, test reviews included: no
  feature is made of them. What else changes with reviews, such as `fans` or `elite`, is left out too.
- The releases of different years have the same names and different reviews; their number tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.sources import describe, json_lines
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Tally, find, from_text, texts
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source
from retrieval_leaderboard.datasets.sources.tars import TarMember
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "yelp"
TARS = ("yelp_dataset.tar", "yelp_dataset.tgz")
LIKED = 4.0
"""The stars from which on a review is an interaction"""
TYPES = {"user_id": "string", "business_id": "string", "stars": "double", "date": "string"}
DAY, TIME = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"
RELEASES = {5_261_669: 2018, 8_021_122: 2020, 8_635_403: 2021, 6_990_280: 2022}
"""Reviews of all stars → the year of the release that has so many"""
LOW = f"fewer than {LIKED:g} stars"


def holds(folder: Path) -> bool:
    """Whether a folder has the reviews, or an archive that should have them."""
    return bool(_unpacked(folder, "review") or _archive(folder))


def load(folder: Path) -> ChunkedLog:
    """The reviews of 4 stars or more; unpacked files come before archives.

    Raises:
        InputError: a missing file, or one of another format (file and line, or row).
    """
    files = {kind: _file(folder, kind) for kind in ("review", "business", "user")}
    if files["review"] is None:
        raise InputError(f"{folder} has no {_names('review')[0]}; get it, and put it there")
    reader = _Reader(files["review"])
    return ChunkedLog(
        NAME,
        reader.chunks,
        describe_users=partial(_user_features, files["user"]) if files["user"] else None,
        describe_items=partial(_item_features, files["business"]) if files["business"] else None,
        reading=reader.tally.reading,
    )


@dataclass
class _Reader:
    """One pass over the reviews."""

    file: RawFile
    tally: Tally = field(default_factory=Tally)

    def chunks(self) -> Iterator[Chunk]:
        self.tally.restart()
        for batch in json_lines.read(self.file, TYPES):
            before = self.tally.rows
            user, business = (texts(batch, name, self.file, before) for name in ("user_id", "business_id"))
            times = texts(batch, "date", self.file, before)
            form = DAY if len(times[0].as_py()) == len("2004-10-12") else TIME
            seconds = from_text(times, form, self.file, before)
            self.tally.rows, self.tally.times = before + len(batch), f"by {form}"
            kept = self.tally.keep(self._stars(batch, before) >= LIKED, LOW)
            yield Chunk(user.take(kept), business.take(kept), seconds[kept])
        year = RELEASES.get(self.tally.rows)
        release = f"the release of {year}" if year else "no release that is known here"
        self.tally.notes = (f"{self.tally.rows:,} reviews of all stars, as in {release}",)

    def _stars(self, batch: pa.RecordBatch, before: int) -> npt.NDArray[np.float64]:
        stars: npt.NDArray[np.float64] = batch.column("stars").to_numpy(zero_copy_only=False)
        if np.isnan(stars).any():
            row = before + int(np.argmax(np.isnan(stars))) + 1
            raise InputError(f"{self.file}, row {row}: 'stars' is missing; get the file again")
        return stars


def _item_features(file: RawFile, ids: npt.NDArray[np.object_]) -> Features:
    businesses = (
        (line, found | {"categories": _categories(found.get("categories"))})
        for line, found in json_lines.objects(file)
    )
    return describe.of_objects(
        file, businesses, ids, "business_id", single=("city", "state"), several=("categories",)
    )


def _categories(value: Any) -> Any:
    """What is between the commas of a text; `value` if it is none."""
    return [each.strip() for each in value.split(",")] if isinstance(value, str) else value


def _user_features(file: RawFile, ids: npt.NDArray[np.object_]) -> Features:
    """The year since which a user is at Yelp."""
    import pyarrow as pa
    import pyarrow.compute as pc

    types = dict.fromkeys(("user_id", "yelping_since"), "string")
    batches = list(json_lines.read(file, types))
    described = describe.rows_of(ids, pa.Table.from_batches(batches), "user_id")
    year = pc.utf8_slice_codeunits(described["yelping_since"], 0, 4)
    return describe.features(pa.table({"yelping_since": year}), ("yelping_since",))


def _file(folder: Path, kind: str) -> RawFile | None:
    """The file of a kind: unpacked or in a zip of its own; if the reviews are in a tar, there."""
    if found := _unpacked(folder, kind):
        return found
    archive = None if _unpacked(folder, "review") else _archive(folder)
    return TarMember(archive.path, archive.member, _names(kind)) if archive else None


def _unpacked(folder: Path, kind: str) -> RawFile | None:
    return next(filter(None, (find(folder, name) for name in _names(kind))), None)


def _archive(folder: Path) -> RawFile | None:
    return next(filter(None, (find(folder, name) for name in TARS)), None)


def _names(kind: str) -> tuple[str, ...]:
    return f"yelp_academic_dataset_{kind}.json", f"{kind}.json"


SOURCES = (
    Source(
        NAME,
        IN_TIME,
        holds,
        load,
        Download(
            {"Yelp-JSON.zip": "md5:b0c36fe2d00a52d8de44fa3b2513c9d2"},
            (),
            "get Yelp-JSON.zip from https://business.yelp.com/data/resources/open-dataset, and put it into "
            f"<data-dir>/{NAME}",
        ),
        absent="manual download",
        license="academic use; no redistribution",
    ),
)
