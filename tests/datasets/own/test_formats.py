"""One log in every format, packed, and as a folder of two files: the same rows, or the same refusal."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.own import reader
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.support.errors import InputError

ZERO_WIDTH = "1\u200b"
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """What a log holds, and what is right: rows in the order of their times, or a refusal."""

    header: str
    rows: Rows
    right: list[tuple[str, str, int | None]] | None = None
    refusal: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    row: int | None = None
    """Of the refusal, from 1"""
    but: tuple[str, ...] = ()
    """Formats that cannot hold it"""


CASES = {
    "below a second": Case(
        "user,item,timestamp",
        [(1, "third", 1600000000.9), (1, "first", 1600000000.1), (1, "second", 1600000000.5)],
        [("1", "first", 1600000000), ("1", "second", 1600000000), ("1", "third", 1600000000)],
    ),
    "milliseconds": Case(
        "user,item,timestamp",
        [(1, "a", 1577836800000), (1, "b", 1577836801000)],
        [("1", "a", 1577836800), ("1", "b", 1577836801)],
    ),
    "nanoseconds": Case(
        "user,item,timestamp",
        [(1, "a", 1577836800000000000), (2, "b", 1577836800000000001)],
        [("1", "a", 1577836800), ("2", "b", 1577836800)],
    ),
    "beyond 2^53": Case(
        "user,item,timestamp",
        [(1, "b", 9007199254740993), (1, "a", 9007199254740992)],
        [("1", "a", 9007199254), ("1", "b", 9007199254)],
        note="after 2100",
    ),
    "serial days": Case(
        "user,item,timestamp", [(1, "b", 43831.75), (1, "a", 43831.25)],
        [("1", "a", 43831), ("1", "b", 43831)],
    ),
    "ISO 8601": Case(
        "user,item,timestamp",
        [(1, "a", "2020-01-01T00:00:00Z"), (1, "b", "2020-01-01T01:00:00+01:00")],
        [("1", "a", 1577836800), ("1", "b", 1577836800)],
    ),
    "dates in digits": Case(
        "user,item,time_stamp", [(0, 66, "0513"), (1, 2, "0514")], refusal="--time-format", row=1
    ),
    "dates in digits by a format": Case(
        "user,item,time_stamp",
        [(0, 66, "0513"), (1, 2, "0514")],
        [("0", "66", 958176000), ("1", "2", 958262400)],
        given={"time_format": "%m%d"},
    ),
    "ids with zeros before them": Case(
        "t_dat,customer_id,article_id",
        [("2020-02-09", "000a", "0100000012"), ("2020-02-10", "000b", "0100000031")],
        [("000a", "0100000012", 1581206400), ("000b", "0100000031", 1581292800)],
    ),
    "ids beyond 2^53": Case(
        "user,item", [(9007199254740993, "a"), (9007199254740992, "b")],
        [("9007199254740993", "a", None), ("9007199254740992", "b", None)],
    ),
    "a label that is not used": Case(
        "user_id,item_id,label", [(1, "a", 0), (1, "b", 1)], [("1", "a", None), ("1", "b", None)],
        note="'label' holds 0 and 1 and is not used",
    ),
    "a label": Case(
        "user_id,item_id,label", [(1, "a", 0), (1, "b", 1)], [("1", "b", None)], given={"min_rating": 1}
    ),
    "ids that look alike": Case(
        "user,item", [("1", "a"), (ZERO_WIDTH, "b")], [("1", "a", None), (ZERO_WIDTH, "b", None)],
        note="look like others",
    ),
    "quotes": Case(
        "user,item,title", [(1, "a", '"x'), (2, "b", "y"), (3, "c", 'z"'), (4, "d", "w")],
        [("1", "a", None), ("2", "b", None), ("3", "c", None), ("4", "d", None)],
    ),
    "a header among the rows": Case(
        "user,item", [("1", "a"), ("user", "item")], refusal="the header stands here again", row=2,
        but=("parquet", "frame"),
    ),
    "text for a rating": Case(
        "user,item,score", [(1, "a", "5"), (1, "b", "high")], refusal="'high' in column 'score' is not a",
        row=2,
    ),
    "no time": Case(
        "user,item,timestamp", [(1, "a", 1600000000), (1, "b", None)], refusal="'timestamp' is missing", row=2
    ),
    "no user": Case(
        "user,item", [(None, "a"), ("1", "b")], [("1", "b", None)], given={"drop_incomplete": True}
    ),
    "lists": Case("user,item", [(1, ["a", "b"]), (2, ["c", "d"])], refusal="list"),
    "two columns of a role": Case("user_id,item,UserID", [(1, "a", 2), (1, "b", 2)], refusal="may all be"),
    "no user column": Case("who,item", [(1, "a"), (1, "b")], refusal="no column for the user; it has who"),
}  # fmt: skip


def separated(separator: str) -> Callable[[Path, list[str], Rows], None]:
    def write(path: Path, names: list[str], rows: Rows) -> None:
        quoting = csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(
                file, delimiter=separator, quoting=quoting, quotechar='"' if separator == "," else None
            ).writerows([names, *rows])

    return write


def packed(path: Path, names: list[str], rows: Rows) -> None:
    inside = path.with_name("inside.csv")
    separated(",")(inside, names, rows)
    content = inside.read_bytes()
    inside.unlink()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("log.csv", content)
    elif path.suffix == ".zst":
        path.write_bytes(pa.compress(content, codec="zstd", asbytes=True))
    else:
        path.write_bytes(gzip.compress(content))


def json_lines(path: Path, names: list[str], rows: Rows) -> None:
    lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def frame(names: list[str], rows: Rows) -> pd.DataFrame:
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return pd.DataFrame({name: pd.array(values, dtype=_type(values)) for name, values in columns.items()})


def _type(values: tuple[Any, ...]) -> Any:
    """Whole numbers with missing ones stay whole."""
    return pd.ArrowDtype(pa.array(list(values)).type)


def parquet(path: Path, names: list[str], rows: Rows) -> None:
    frame(names, rows).to_parquet(path)


WRITERS: dict[str, tuple[str, Callable[[Path, list[str], Rows], None]]] = {
    "csv": (".csv", separated(",")),
    "tsv": (".tsv", separated("\t")),
    "inter": (".inter", separated("\t")),
    "jsonl": (".jsonl", json_lines),
    "parquet": (".parquet", parquet),
    "gz": (".csv.gz", packed),
    "zst": (".csv.zst", packed),
    "zip": (".zip", packed),
}


def read_case(case: Case, given: Any) -> Log:
    return reader.read(DataSpec.of({"interactions": given} | case.given))


def check(case: Case, given: Any, place: str) -> None:
    if case.refusal:
        with pytest.raises(InputError) as error:
            read_case(case, given)
        assert case.refusal in str(error.value)
        assert case.row is None or place in str(error.value)
        return
    log = read_case(case, given)
    order = range(len(log.user)) if log.moment is None else log.moment.argsort(kind="stable")
    times = [None] * len(log.user) if log.timestamp is None else log.timestamp.tolist()
    found = [(log.user_ids[log.user[at]], log.item_ids[log.item[at]], times[at]) for at in order]
    assert found == case.right
    assert case.note in " ".join(log.notes)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", CASES)
def test_a_file(tmp_path: Path, name: str, kind: str) -> None:
    case, (suffix, write) = CASES[name], WRITERS[kind]
    if kind in case.but:
        pytest.skip("the format cannot hold it")
    path = tmp_path / f"log{suffix}"
    write(path, case.header.split(","), case.rows)
    row = case.row or 0
    place = {"jsonl": f"line {row}", "parquet": f"row {row}"}.get(kind, f"line {row + 1}")
    check(case, path, f"{path}, {place}:")


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", CASES)
def test_a_folder_of_two_files(tmp_path: Path, name: str, kind: str) -> None:
    case, (suffix, write) = CASES[name], WRITERS[kind]
    if kind in case.but:
        pytest.skip("the format cannot hold it")
    folder = tmp_path / "log"
    folder.mkdir()
    parts = case.rows[:1], case.rows[1:]
    for number, rows in enumerate(parts):
        write(folder / f"part-{number}{suffix}", case.header.split(","), rows)
    (folder / "_SUCCESS").touch()
    (folder / f".part-0{suffix}.crc").write_bytes(b"crc")
    at = 0 if case.row == 1 else 1
    row = (case.row or 0) - at
    place = {"jsonl": f"line {row}", "parquet": f"row {row}"}.get(kind, f"line {row + 1}")
    check(case, folder, f"{folder / f'part-{at}{suffix}'}, {place}:")


@pytest.mark.parametrize("name", CASES)
def test_a_table_in_memory(name: str) -> None:
    case = CASES[name]
    if "frame" in case.but:
        pytest.skip("a table cannot hold it")
    check(case, frame(case.header.split(","), case.rows), f"DataFrame, row {case.row}:")
