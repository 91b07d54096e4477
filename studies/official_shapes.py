"""Made-up logs in the exact layout of large official files, to measure what their size takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.sources import kuairand, taobao
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.storage.files import atomic_folder

if TYPE_CHECKING:
    import pyarrow as pa

AT_ONCE = 2**21
"""Rows that are made together, where these are not more than half"""
DAY = 86_400
REPEATED = 0.3
"""Share of the rows whose item is that of the row before, where it has the same user"""


@dataclass(frozen=True)
class Shape:
    """A dataset's layout and size."""

    name: str
    title: str
    rows: int
    users: int
    items: int
    first: int
    """Unix seconds at which its days begin"""
    days: int
    write: Callable[[Shape, Path, int], None]
    """(shape, folder, rows)"""
    read: Callable[[Path], ChunkedLog]

    def keep(self, folder: Path, rows: int) -> None:
        """Write `rows` rows into `folder`, whole or not at all, where it is not there yet."""
        if not folder.exists():
            with atomic_folder(folder) as scratch:
                self.write(self, scratch, rows)

    def sized(self, rows: int) -> tuple[int, int]:
        """Users and items of so many of its rows."""
        share = rows / self.rows
        return max(1, round(self.users * share)), max(1, round(self.items * share))


def events(shape: Shape, rows: int, rng: np.random.Generator) -> Iterator[dict[str, npt.NDArray[np.int64]]]:
    """User, item and time of `rows` rows: users one after the other, their times ascending, some outside."""
    n_users, n_items = shape.sized(rows)
    activity = rng.lognormal(0, 1, n_users)
    lengths = 1 + rng.multinomial(rows - n_users, activity / activity.sum())
    user_id = rng.permutation(n_users) + 1
    item_id = rng.permutation(n_items) + 1
    ends, user = np.cumsum(lengths), 0
    at_once = min(AT_ONCE, rows // 2)
    while user < n_users:
        begin = int(ends[user - 1]) if user else 0
        end = max(user + 1, int(np.searchsorted(ends, begin + at_once, side="right")))
        who = np.repeat(np.arange(user, end), lengths[user:end])
        what = (rng.random(len(who)) ** 3 * n_items).astype(np.int64)
        # Every item occurs, as in a file whose number of items is published.
        listed = max(0, min(len(what), n_items - begin))
        what[:listed] = np.arange(begin, begin + listed)
        again = (rng.random(len(who)) < REPEATED) & (np.diff(who, prepend=-1) == 0)
        again[:listed] = False
        what[1:][again[1:]] = what[:-1][again[1:]]
        when = shape.first + rng.integers(0, shape.days * DAY, len(who))
        outside = rng.random(len(who)) < 0.0005
        when[outside] -= rng.integers(DAY, 90 * DAY, int(outside.sum()))
        order = np.lexsort((when, who))
        yield {"user": user_id[who], "item": item_id[what], "time": when[order]}
        user = end


def _write_taobao(shape: Shape, folder: Path, rows: int) -> None:
    """UserBehavior.csv: user, item, category, behavior, unix seconds, without a header."""
    import pyarrow as pa

    rng = np.random.default_rng(0)
    kinds = pa.array(["pv", "cart", "fav", "buy"])

    def tables() -> Iterator[pa.Table]:
        for each in events(shape, rows, rng):
            kind = np.searchsorted([0.897, 0.952, 0.981], rng.random(len(each["user"])))
            behavior = pa.DictionaryArray.from_arrays(pa.array(kind, pa.int8()), kinds).cast(pa.string())
            category = each["item"] % 9_439 + 1
            yield pa.table(
                {"user": each["user"], "item": each["item"], "category": category, "kind": behavior}
                | {"time": each["time"]}
            )

    _write(folder / taobao.FILE, tables(), header=False)


KUAIRAND = (
    "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,"
    "play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab"
).split(",")


def _write_kuairand(shape: Shape, folder: Path, rows: int) -> None:
    """log_standard_*_27k_part1.csv of two periods, with a header; a third of the rows are clicks."""
    import pyarrow as pa

    rng = np.random.default_rng(0)

    def tables() -> Iterator[pa.Table]:
        for each in events(shape, rows, rng):
            n = len(each["user"])
            flags = {name: (rng.random(n) < 0.05).view(np.int8) for name in KUAIRAND[6:12]}
            flags = {"is_click": (rng.random(n) < 0.35).view(np.int8)} | flags
            yield pa.table(
                {"user_id": each["user"] - 1, "video_id": each["item"] - 1}
                | {"date": 20220408 + each["time"] % 14, "hourmin": each["time"] // 60 % 24 * 100}
                | {"time_ms": each["time"] * 1000 + rng.integers(0, 1000, n)}
                | flags
                | {"play_time_ms": rng.integers(0, 10**5, n), "duration_ms": rng.integers(1000, 10**5, n)}
                | {name: np.zeros(n, np.int8) for name in KUAIRAND[14:18]}
                | {"tab": rng.integers(0, 15, n, dtype=np.int8)}
            )

    made = iter(tables())
    # The users of the first tables are those of the earlier file: readers take both.
    _write(folder / f"{kuairand.BEFORE}_27k_part1.csv", islice(made, 1), header=True)
    _write(folder / f"{kuairand.DURING}_27k_part1.csv", made, header=True)


def _read_kuairand(folder: Path) -> ChunkedLog:
    return kuairand.load(folder, "27k")


def _write(path: Path, tables: Iterator[pa.Table], header: bool) -> None:
    from pyarrow import csv

    path.parent.mkdir(parents=True, exist_ok=True)
    options = csv.WriteOptions(include_header=False, quoting_style="none", batch_size=2**16)
    first, written = next(tables), 0
    with path.open("wb") as sink:
        if header:  # Arrow would quote it.
            sink.write(f"{','.join(first.column_names)}\n".encode())
        with csv.CSVWriter(sink, first.schema, write_options=options) as file:
            for table in chain([first], tables):
                file.write(table)
                written += len(table)
                progress.say(f"{path.name}: {written:,} rows")


SHAPES = {
    each.name: each
    for each in (
        Shape("taobao", "Taobao UserBehavior", 100_150_807, 987_994, 4_162_024, 1_511_539_200, 9,
              _write_taobao, taobao.load),
        Shape("kuairand-27k", "KuaiRand-27K", 322_278_385, 27_285, 32_038_725, 1_649_347_200, 31,
              _write_kuairand, _read_kuairand),
    )
}  # fmt: skip
