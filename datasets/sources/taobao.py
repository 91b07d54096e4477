"""Taobao's UserBehavior (Tianchi 649): nine days of clicks, carts, favorites and purchases.

`UserBehavior.csv` has no header and five columns: user, item, category, behavior (`pv`, `cart`, `fav` or
`buy`) and unix seconds, the rows of a user together. Every behavior is an interaction. What is particular:

- The days are those of UTC+8, from November 25th to December 3rd, 2017; rows of other times, some of them
  before 1970 or years ahead, are left out.
- Some rows stand there twice: the second is left out, as are those after it.
- The ids are small numbers. Larger ones are refused, so that the categories of items, which stand on each
  row, are collected in a table by the item's number while the rows are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import Layout, RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.sources import describe, raw
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Integers, Tally, need, numbers
from retrieval_leaderboard.datasets.sources.source import IN_TIME, Source
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

NAME, FILE = "taobao", "UserBehavior.csv"
BEHAVIORS = ("pv", "cart", "fav", "buy")
TYPES = {"user": "int64", "item": "int64", "category": "int64", "behavior": "string", "time": "int64"}
LAYOUT = Layout(tuple(TYPES), quoted=False, block_bytes=1 << 22)
FIRST = int(datetime.fromisoformat("2017-11-25T00:00+08:00").timestamp())
END = int(datetime.fromisoformat("2017-12-04T00:00+08:00").timestamp())
ID_BITS, TIME_BITS, BEHAVIOR_BITS = 23, 20, 2
OUTSIDE = "outside November 25th to December 3rd, 2017, UTC+8"
TORN = "rows of one user stand apart, which those of the official file do not: repeated rows may be left"
AGAIN = "the same in all columns as another row of the user"


def load(folder: Path) -> ChunkedLog:
    """All behaviors of the nine days.

    Raises:
        InputError: a file of another format, a behavior or an id that there is not (file and line, or row).
    """
    reader = _Reader(need(folder, FILE))
    return ChunkedLog(NAME, reader.chunks, describe_items=reader.item_features, reading=reader.tally.reading)


@dataclass
class _Reader:
    """Passes over the file."""

    file: RawFile
    tally: Tally = field(default_factory=lambda: Tally("unix seconds"))
    category: npt.NDArray[np.int32] | None = None
    """int32[2**ID_BITS], by item: its category + 1, 0 where the item was not read"""

    def chunks(self) -> Iterator[Chunk]:
        self.tally.restart()
        self.category = np.zeros(1 << ID_BITS, dtype=np.int32)
        repeats = _Repeats()
        for batch in read_columns(self.file, TYPES, LAYOUT):
            behavior = self._behaviors(batch)
            user, item, category = (self._ids(batch, name) for name in ("user", "item", "category"))
            time = numbers(batch, "time")
            self.tally.rows += len(batch)
            rows = self.tally.keep((time >= FIRST) & (time < END), OUTSIDE)
            key = (item << TIME_BITS | time - FIRST) << BEHAVIOR_BITS | behavior
            rows = rows[self.tally.keep(~repeats.among(user[rows], key[rows]), AGAIN)]
            self.category[item[rows]] = category[rows] + 1
            yield Chunk(user[rows], item[rows], time[rows])
        if repeats.torn:
            self.tally.notes = (TORN,)

    def item_features(self, ids: npt.NDArray[np.object_]) -> Features:
        """The category of each item, the last that a row gives it."""
        import pyarrow as pa

        if self.category is None:
            for _ in self.chunks():
                pass
        assert self.category is not None
        found = self.category[ids.astype(np.int64)]
        texts = pa.array(found - 1, mask=found == 0).cast(pa.string())
        return describe.features(pa.table({"category": texts}), ("category",))

    def _behaviors(self, batch: pa.RecordBatch) -> Integers:
        """int64[n]: places in `BEHAVIORS`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        known = pc.index_in(batch.column("behavior"), value_set=pa.array(BEHAVIORS))
        if known.null_count:
            at = int(np.argmax(known.is_null().to_numpy(zero_copy_only=False)))
            found = batch.column("behavior")[at].as_py() or ""
            raise self._wrong(at, f"'{found:.40}' is no behavior, which are {', '.join(BEHAVIORS)}")
        return known.to_numpy().astype(np.int64)

    def _ids(self, batch: pa.RecordBatch, name: str) -> Integers:
        ids = numbers(batch, name)
        wrong = (ids < 0) | (ids >= 1 << ID_BITS)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise self._wrong(
                at, f"{name} {ids[at]} is none of this dataset, whose ids are below 2^{ID_BITS}"
            )
        return ids

    def _wrong(self, at: int, found: str) -> InputError:
        return InputError(f"{self.file}, row {self.tally.rows + at + 1}: {found}; get the file again")


@dataclass
class _Repeats:
    """Which rows were there before, among the rows of a user that stand together."""

    user: int = -1
    """Of the last row"""
    keys: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Of the last rows, which are that user's"""
    runs: int = 0
    """How often a user's rows began"""
    users: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1 << ID_BITS, dtype=np.bool_))
    """bool[2**ID_BITS], by user: whether there were rows"""

    @property
    def torn(self) -> bool:
        """Whether the rows of a user did not stand together: repeated ones may be left."""
        return self.runs > self.users.sum()

    def among(self, user: Integers, key: Integers) -> npt.NDArray[np.bool_]:
        """bool[n], for the next n rows; `key` is what a row says beside its user."""
        if not len(user):
            return np.zeros(0, dtype=np.bool_)
        # A row has 20 bytes or more, so that a block has fewer than 2^18 users beside the 45 bits of a key.
        run = np.cumsum(np.diff(user, prepend=self.user) != 0)
        self.runs += int(run[-1])
        self.users[user] = True
        both = np.concatenate((self.keys, run << (ID_BITS + TIME_BITS + BEHAVIOR_BITS) | key))
        repeated = np.zeros(len(both), dtype=np.bool_)
        ordered = np.sort(both)
        if (ordered[1:] == ordered[:-1]).any():
            order = np.argsort(both, kind="stable")
            repeated[order[1:]] = both[order[1:]] == both[order[:-1]]
        last = np.concatenate((np.zeros(len(self.keys), dtype=np.int64), run)) == run[-1]
        self.keys = both[last & ~repeated] & ((1 << (ID_BITS + TIME_BITS + BEHAVIOR_BITS)) - 1)
        mine = repeated[len(repeated) - len(user) :]
        self.user = int(user[-1])
        return mine


SOURCES = (
    Source(
        NAME,
        IN_TIME,
        raw.holds(FILE),
        load,
        Download(
            {},
            (),
            f"get {FILE}.zip (906 MB) from https://tianchi.aliyun.com/dataset/649, which needs an account, "
            f"and put it, packed or not, into <data-dir>/{NAME}",
        ),
        absent="manual download",
        users=987_994,
        items=4_162_024,
        interactions=100_150_807,
    ),
)
