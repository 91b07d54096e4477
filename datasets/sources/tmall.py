"""Tmall's shopping logs of two competitions, IJCAI-15 (Tianchi 42) and IJCAI-16 (Tianchi 53).

Every action is an interaction: of IJCAI-15 click (0), cart (1), buy (2) and favorite (3), of IJCAI-16
click (0) and buy (1). Days are all that is known of the order.

- IJCAI-15 writes a day `mmdd` as a number, without its zero (511 is May 11th) and without a year. 2014 is
  taken: the log ends on the Double 11 before the competition.
- Format 1: `user_log_format1.csv`, in an archive whose name has a space (`data_format1 .zip`), has the
  header `user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type`, unsorted; brands are missing
  at times.
- Format 2: `train_format2.csv` and `test_format2.csv` have the header
  `user_id,age_range,gender,merchant_id,label,activity_log`, a line for each user and merchant. The log is
  `item:cat:brand:time:action#…`: the item is its first field alone, the seller is the line's merchant. The
  users of the competition's test are users too: both files are read.
- IJCAI-16: `ijcai2016_taobao.csv` has the header `use_ID,sel_ID,ite_ID,cat_ID,act_ID,time`, days are
  `yyyymmdd`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import Layout, RawFile, read_columns
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.sources import describe, raw
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.raw import Integers, find, from_dates, need, numbers
from retrieval_leaderboard.datasets.sources.source import Source
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT_1, FORMAT_2 = "user_log_format1.csv", ("train_format2.csv", "test_format2.csv")
USERS, IJCAI_16 = "user_info_format1.csv", "ijcai2016_taobao.csv"
YEAR = 2014
UNKNOWN = {"age_range": "0", "gender": "2"}
"""Column of a user → the value of one who does not say"""
LONG_LINES = Layout(block_bytes=1 << 24)


@dataclass(frozen=True)
class Actions:
    """Consecutive actions of a file."""

    file: RawFile
    row: Integers
    """int64[n]: of the file"""
    user: Integers
    item: Integers
    day: Integers
    """yyyymmdd"""
    described: dict[str, npt.NDArray[np.float64]]
    """What is said of the items, whole numbers; NaN where it is missing"""


Read = Callable[[], Iterator[Actions]]


def holds(folder: Path) -> bool:
    """Whether a folder has the log of IJCAI-15 in one of its formats."""
    return find(folder, FORMAT_1) is not None or all(find(folder, name) for name in FORMAT_2)


def load(folder: Path) -> ChunkedLog:
    """The log of IJCAI-15: of format 1 where a folder has both.

    Raises:
        InputError: a missing file, or one of another format (file and line, or row).
    """
    if log := find(folder, FORMAT_1):
        columns = ("user_id", "item_id", "time_stamp"), ("cat_id", "seller_id", "brand_id")
        return _log("tmall", partial(_flat, log, *columns), find(folder, USERS))
    users = [need(folder, name) for name in FORMAT_2]
    return _log("tmall", partial(_nested, users), *users)


def load_ijcai16(folder: Path) -> ChunkedLog:
    """The log of IJCAI-16.

    Raises:
        InputError: as `load`.
    """
    columns = ("use_ID", "ite_ID", "time"), ("cat_ID", "sel_ID")
    return _log("ijcai-16", partial(_flat, need(folder, IJCAI_16), *columns))


def _log(name: str, read: Read, *users: RawFile | None) -> ChunkedLog:
    files = [file for file in users if file]

    def chunks() -> Iterator[Chunk]:
        for part in read():
            yield Chunk(part.user, part.item, from_dates(part.day, part.file, part.row))

    def describe_users(ids: npt.NDArray[np.object_]) -> Features:
        import pyarrow.compute as pc

        described = describe.table(files, "user_id", UNKNOWN, LONG_LINES, text_key=False)
        for place, (name, unknown) in enumerate(UNKNOWN.items(), 1):
            known = pc.if_else(pc.equal(described[name], unknown), None, described[name])
            described = described.set_column(place, name, known)
        return describe.features(describe.rows_of(ids, described, "user_id"), UNKNOWN)

    return ChunkedLog(
        name,
        chunks,
        describe_users=describe_users if files else None,
        describe_items=partial(_item_features, read),
        ordered=False,
    )


def _flat(log: RawFile, columns: tuple[str, str, str], described: tuple[str, ...]) -> Iterator[Actions]:
    """The rows of a log; `columns` are its users, items and days."""
    before = 0
    types = dict.fromkeys(columns, "int64") | dict.fromkeys(described, "double")
    for batch in read_columns(log, types):
        user, item, day = (numbers(batch, name) for name in columns)
        day = np.where(day < 10_000, day + YEAR * 10_000, day)
        row = before + np.arange(len(batch))
        said = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in described}
        yield Actions(log, row, user, item, day, said)
        before += len(batch)


def _nested(files: list[RawFile]) -> Iterator[Actions]:
    """The actions in the lines of format 2."""
    import pyarrow.compute as pc

    types = {"user_id": "int64", "merchant_id": "int64", "activity_log": "string"}
    for file in files:
        before = 0
        for batch in read_columns(file, types, LONG_LINES):
            logs = pc.split_pattern(batch.column("activity_log"), "#")
            line = pc.list_parent_indices(logs).to_numpy()
            row = before + line
            fields = _fields(file, row, pc.list_flatten(logs))
            for name in ("item", "day"):
                _check_known(file, row, name, fields[name])
            yield Actions(
                file,
                row,
                numbers(batch, "user_id")[line],
                fields["item"].astype(np.int64),
                fields["day"].astype(np.int64) + YEAR * 10_000,
                {
                    "cat_id": fields["category"],
                    "seller_id": numbers(batch, "merchant_id")[line].astype(np.float64),
                    "brand_id": fields["brand"],
                },
            )
            before += len(batch)


def _fields(file: RawFile, row: Integers, actions: pa.Array) -> dict[str, npt.NDArray[np.float64]]:
    """The fields of actions, each at its `row`, int64[n], of the file; NaN where one is empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = ("item", "category", "brand", "day", "action")
    split = pc.split_pattern(actions, ":")
    numeric = pc.match_substring_regex(actions, r"^[0-9]*(:[0-9]*){4}$").to_numpy(zero_copy_only=False)
    if not numeric.all():
        at = int(np.argmin(numeric))
        found = f"'{actions[at].as_py():.40}' is no action {':'.join(names)}"
        raise InputError(f"{file}, row {row[at] + 1}: {found}; get it again")
    fields = {}
    for place, name in enumerate(names):
        texts = pc.list_element(split, place)
        known = pc.if_else(pc.equal(texts, ""), None, texts)
        fields[name] = known.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return fields


def _check_known(file: RawFile, row: Integers, name: str, values: npt.NDArray[np.float64]) -> None:
    missing = np.isnan(values)
    if missing.any():
        raise InputError(
            f"{file}, row {row[np.argmax(missing)] + 1}: an action lacks its {name}; get it again"
        )


def _item_features(read: Read, ids: npt.NDArray[np.object_]) -> Features:
    """What the log says of the items `ids`, object[n]: the last that it says of each."""
    import pyarrow as pa

    items = ids.astype(np.int64)
    order = np.argsort(items)
    found: dict[str, npt.NDArray[np.float64]] = {}
    for part in read():
        at = np.searchsorted(items, part.item, sorter=order)
        code = order[np.minimum(at, len(order) - 1)]
        known = items[code] == part.item
        for name, values in part.described.items():
            found.setdefault(name, np.full(len(items), np.nan))[code[known]] = values[known]
    return describe.features(pa.table({name: _texts(each) for name, each in found.items()}), found)


def _texts(values: npt.NDArray[np.float64]) -> pa.Array:
    """Whole numbers as texts, null for NaN."""
    import pyarrow as pa

    return pa.array(values, from_pandas=True).cast(pa.int64()).cast(pa.string())


def _source(
    name: str, number: int, archive: str, holds: Callable[[Path], bool], read: Callable[[Path], ChunkedLog]
) -> Source:
    """A log of days, which Tianchi gives to those who have an account."""
    return Source(
        name,
        ("time",),
        holds,
        read,
        Download(
            {},
            (),
            f"get {archive} from https://tianchi.aliyun.com/dataset/{number}, which needs an account, and "
            f"put it into <data-dir>/{name}",
        ),
        absent="manual download",
    )


SOURCES = (
    replace(
        _source("tmall", 42, "data_format1 .zip or data_format2.zip", holds, load),
        users=424_170,
        interactions=54_925_330,
    ),
    replace(
        _source("ijcai-16", 53, "IJCAI16_data.zip", raw.holds(IJCAI_16), load_ijcai16),
        interactions=44_528_127,
    ),
)
