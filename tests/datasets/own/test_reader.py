"""A user's own file in each of its formats, and everything that can be wrong with it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.own import names, reader
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.support.errors import InputError

ROWS = [("bob", "x", 30, 4.5), ("ann", "y", 10, 2), ("bob", "y", 20, 1)]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, columns: dict[str, str], *, timed: bool = True, rated: bool = True, **given) -> Log:
    spec = DataSpec.of({"interactions": path} | ({"columns": columns} if columns else {}) | given)
    return reader.read(spec, timed=timed, rated=rated)


def events(log: Log) -> list[tuple]:
    times = [None] * len(log.user) if log.timestamp is None else log.timestamp.tolist()
    ratings = [None] * len(log.user) if log.rating is None else log.rating.tolist()
    users, items = log.user_ids[log.user], log.item_ids[log.item]
    return list(zip(users, items, times, ratings, strict=True))


@pytest.mark.parametrize(
    ("name", "header", "separator"),
    [
        ("log.csv", "user,item,timestamp,rating", ","),
        ("log.csv", "User_ID,itemId,TS,Score", ","),
        ("log.tsv", "uid\tproduct_id\ttime\trating", "\t"),
        ("log.inter", "user_id:token\titem_id:token\ttimestamp:float\trating:float", "\t"),
    ],
)
def test_text_formats_and_guessed_names(tmp_path: Path, name: str, header: str, separator: str):
    lines = [header, *(separator.join(map(str, row)) for row in ROWS)]
    log = read(write(tmp_path / name, "\n".join(lines) + "\n"), {})
    assert events(log) == ROWS
    assert (log.name, log.title) == ("log", name)


def test_parquet_with_numbers_and_dates(tmp_path: Path):
    frame = pd.DataFrame(
        {
            "user_id": [0, 7],
            "item_id": [10**18, 5],
            "time": pd.to_datetime(["2017-05-06 00:00:01", "2017-05-06 00:00:00"]),
        }
    )
    frame.to_parquet(tmp_path / "log.parquet")
    log = read(tmp_path / "log.parquet", {})
    assert events(log) == [("0", str(10**18), 1494028801, None), ("7", "5", 1494028800, None)]


def test_columns_named_by_option_come_before_guesses(tmp_path: Path):
    path = write(tmp_path / "log.csv", "user,who,what,when\n9,ann,x,5\n9,bob,y,6\n")
    log = read(path, {"user": "who", "item": "What", "timestamp": "when"})
    assert events(log) == [("ann", "x", 5, None), ("bob", "y", 6, None)]


def test_ids_are_any_text(tmp_path: Path):
    ids = ["0", "99999999999999999999", "Ünï cödé", "NA", "null", "-1", "1.0", "007"]
    text = "user,item\n" + "\n".join(f'{name},"{name}, x"' for name in ids) + "\n"
    log = read(write(tmp_path / "log.csv", text), {})
    assert events(log) == [(name, f"{name}, x", None, None) for name in ids]
    assert log.user_ids.tolist() == sorted(ids)


def test_blank_lines_and_fractions_of_seconds(tmp_path: Path):
    log = read(write(tmp_path / "log.csv", "user,item,ts\na,b,10.9\n\na,c,11\n\n"), {})
    assert events(log) == [("a", "b", 10, None), ("a", "c", 11, None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "log.csv: the file is empty"),
        ("user,item\n", "log.csv: it has columns and no rows"),
        (
            "person,item\na,b\n",
            "no column for the user; it has person, item; name it: --columns user=NAME",
        ),
        ("user,thing\na,b\n", "no column for the item"),
        ("user,item,time\na,b,1\na,c,noon\n", "log.csv, line 3: 'noon' in column 'time' is not a number"),
        ("user,item,time\na,b,1\n\na,c,\n", "log.csv, line 4: 'time' is missing"),
        ("user,item,time\na,b,inf\n", "log.csv, line 2: 'inf' in column 'time' is not a number"),
        ("user,item,time\na,b,1e300\n", "log.csv, line 2: 1e300 in column 'time' is too large"),
        ("user,item,rating\na,b,4\na,c,good\n", "log.csv, line 3: 'good' in column 'rating' is not a number"),
        ("user,item\na,b\n,c\n", "log.csv, line 3: 'user' is missing"),
        ("user,item\na,b\nc\n", "log.csv, line 3: 'item' is missing"),
        ("user,item\na,b\nc,d,e\n", "line 3"),
        ("user,item\na,b,c\n", "rows have more fields than the header has columns"),
    ],
)
def test_malformed_text(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError) as error:
        read(write(tmp_path / "log.csv", text), {})
    assert message in str(error.value)


def test_a_named_column_that_is_not_there(tmp_path: Path):
    path = write(tmp_path / "log.csv", "user,item\na,b\n")
    with pytest.raises(InputError, match="no column 'when' for the timestamp; it has user, item"):
        read(path, {"timestamp": "when"})
    with pytest.raises(InputError, match="unknown column role 'users': did you mean 'user'"):
        read(path, {"users": "user"})


def test_files_that_are_not_there_or_not_of_a_known_kind(tmp_path: Path):
    with pytest.raises(InputError, match="there is no such file"):
        read(tmp_path / "absent.csv", {})
    with pytest.raises(InputError, match=r"ends in \.csv, \.tsv, \.inter, \.jsonl, .*\.parquet"):
        read(write(tmp_path / "log.doc", "{}"), {})
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"folder\.csv: there is no file in it"):
        read(tmp_path / "folder.csv", {})


def test_text_that_is_not_utf8(tmp_path: Path):
    (tmp_path / "log.csv").write_bytes("user,item\nJosé,b\n".encode("latin-1"))
    with pytest.raises(InputError, match="not utf-8"):
        read(tmp_path / "log.csv", {})


def test_damaged_parquet(tmp_path: Path):
    path = tmp_path / "log.parquet"
    pd.DataFrame({"user": ["a"] * 1000, "item": ["b"] * 1000}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read(path, {})


def test_missing_values_in_parquet_name_the_row(tmp_path: Path):
    path = tmp_path / "log.parquet"
    pd.DataFrame({"user": ["a", None], "item": ["b", "c"]}).to_parquet(path)
    with pytest.raises(InputError, match=r"log\.parquet, row 2: 'user' is missing"):
        read(path, {})
    times = pd.to_datetime(pd.Series(["2020-01-01", None]))
    pd.DataFrame({"user": ["a", "b"], "item": ["b", "c"], "time": times}).to_parquet(path)
    with pytest.raises(InputError, match=r"log\.parquet, row 2: 'time' is missing"):
        read(path, {})


@pytest.mark.parametrize(
    ("text", "name"), [("my log", "my-log"), ("../up", "up"), ("ok_1.2-3", "ok_1.2-3"), ("...", "table")]
)
def test_names_are_safe_for_folders(text: str, name: str):
    assert names.safe(text) == name


# rows that are left out


def test_incomplete_rows_are_refused_or_dropped_and_counted(tmp_path: Path):
    path = write(tmp_path / "log.csv", "user,item,time\na,x,1\n,x,2\n ,y,\nb,,3\nb,y,\n")
    with pytest.raises(InputError, match=r"line 3: 'user' is missing; .* --drop-incomplete$"):
        read(path, {})
    log = read(path, {}, drop_incomplete=True)
    assert events(log) == [("a", "x", 1, None)]
    assert log.reading is not None
    assert log.reading.rows == 5
    assert log.reading.dropped == {"without a user": 2, "without an item": 1, "without a time": 1}
    assert read(path, {"timestamp": ""}, drop_incomplete=True).reading != log.reading


def test_nothing_is_left(tmp_path: Path):
    path = write(tmp_path / "log.csv", "user,item,rating\n,x,1\n")
    with pytest.raises(InputError, match="every row lacks a value"):
        read(path, {}, drop_incomplete=True)
    path = write(tmp_path / "log.csv", "user,item,rating\na,x,1\n")
    with pytest.raises(InputError, match="no rating is 2 or more; lower --min-rating"):
        read(path, {}, min_rating=2)


@pytest.mark.parametrize("header", ["user,item,label", "user,item,Clicked", "user,item,rating"])
@pytest.mark.parametrize(("no", "yes"), [("0", "1"), ("0.0", "1.0"), ("False", "True")])
def test_rows_below_the_least_rating_are_no_interactions(tmp_path: Path, header: str, no: str, yes: str):
    path = write(tmp_path / "log.csv", f"{header}\na,x,{no}\nb,y,{yes}\nb,z,{no}\n")
    log = read(path, {}, min_rating=1)
    assert events(log) == [("b", "y", None, None)], "the line is drawn once"
    assert (log.user_ids.tolist(), log.item_ids.tolist()) == (["b"], ["y"])
    assert log.reading is not None and log.reading.dropped == {"with a rating below 1": 2}


def test_labels_in_parquet(tmp_path: Path):
    path = tmp_path / "log.parquet"
    pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "like": [True, False]}).to_parquet(path)
    assert events(read(path, {}, min_rating=1)) == [("a", "x", None, None)]
    assert any("'like' holds 0 and 1" in note for note in read(path, {}).notes)


@pytest.mark.parametrize(
    ("text", "choice", "message"),
    [
        (
            "user,item\na,x\n",
            {"min_rating": 1},
            "--min-rating needs ratings; name them: --columns rating=NAME",
        ),
        ("user,item\na,x\n", {"time_format": "s"}, "--time-format needs times"),
        ("user,item,rating\na,x,4\nb,y,\n", {}, "line 3: 'rating' is missing; .* --columns rating=$"),
        ("user,item,rating\na,x,4\nb,y,1;5\n", {}, "line 3: '1;5' .* not a number; .* --columns rating=$"),
        ('user,item,rating\na,x,"4,5"\n', {}, "decimal comma"),
        ('user,item,rating\na,x,"4\n5\u200b"\n', {}, r"line 2: '4\\n5\\u200b' in column 'rating'"),
        (f"user,item,rating\na,x,{'y' * 999}\n", {}, f"line 2: '{'y' * 60}…' in column"),
        ("user,item,time\na,x,5\nb,y,noon\n", {}, "--columns timestamp=$"),
        ("user,item\n1,a\nuser,item\n2,b\n", {}, "line 3: the header stands here again"),
        ("user,item\n1,a\n\ufeffuser,item\n", {}, "line 3: the header stands here again"),
        ("user,item\n1,a\nitem,user\n", {}, "line 3: the header stands here again"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(tmp_path: Path, text: str, choice: dict, message: str):
    with pytest.raises(InputError, match=message):
        read(write(tmp_path / "log.csv", text), {}, **choice)


def test_columns_that_are_not_needed_are_not_asked_for(tmp_path: Path):
    path = write(tmp_path / "log.csv", "user,item,timestamp,score\na,x,5,high\nb,y,,low\n")
    log = read(path, {}, timed=False, rated=False)
    assert events(log) == [("a", "x", None, None), ("b", "y", None, None)]
    (note,) = log.notes
    assert note.startswith("column 'timestamp' is left out: line 3: 'timestamp' is missing")
    with pytest.raises(InputError, match="line 3: 'timestamp' is missing"):
        read(path, {"timestamp": "timestamp"}, timed=False, rated=False)
    assert read(path, {"timestamp": "", "rating": ""}).notes == ()


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("when", ["2020-01-01", "2020-01-02"]),
        ("at", ["2020-01-01 00:00:00 UTC", "2020-01-02 00:00:00 UTC"]),
        ("x", ["1577836800", "1577836900"]),
        ("day_of_visit", ["3", "4"]),
    ],
)
def test_a_column_that_looks_like_a_time_and_is_not_used(tmp_path: Path, column: str, values: list[str]):
    text = f"user,item,{column}\na,x,{values[0]}\nb,y,{values[1]}\n"
    (note,) = read(write(tmp_path / "log.csv", text), {}).notes
    assert (
        note
        == f"column '{column}' looks like a time and is not used; to use it: --columns timestamp={column}"
    )
    assert read(tmp_path / "log.csv", {"timestamp": ""}).notes == ()
    (note,) = read(tmp_path / "log.csv", {"user": "item", "item": "user"}).notes
    assert note.endswith(f"--columns user=item,item=user,timestamp={column}")


def test_a_column_of_0_and_1_is_never_left_out_silently(tmp_path: Path):
    path = write(tmp_path / "log.csv", "user,item,a,b,c,d\nu,x,0,1,0,2\nv,y,1,1,0.5,1\n")
    (note,) = read(path, {}).notes
    assert "column 'a' holds 0 and 1" in note and "--columns rating=a --min-rating 1" in note


def test_prices_and_counts_are_no_times(tmp_path: Path):
    path = write(tmp_path / "log.csv", "user,item,price,count,name\na,x,3.5,20,p\nb,y,900,30,q\n")
    log = read(path, {})
    assert log.notes == ()
    assert log.reading is not None and log.reading.left_out == ("price", "count", "name")


def test_a_folder_of_parts_has_its_name(tmp_path: Path):
    (tmp_path / "log.v2").mkdir()
    pd.DataFrame({"user": [1], "item": [2]}).to_parquet(tmp_path / "log.v2" / "part.parquet")
    assert read(tmp_path / "log.v2", {}).name == "log.v2"


@pytest.mark.parametrize("role", ["user", "item"])
def test_a_column_that_is_needed_cannot_be_switched_off(tmp_path, role):
    (tmp_path / "log.csv").write_text("user,item\na,1\n")
    with pytest.raises(InputError, match=f"the {role} needs a column"):
        read(tmp_path / "log.csv", {role: ""})


@pytest.mark.parametrize("text", ["a" * 200_000, f"user,item,{'c' * 200_000}\nu,a,1\n"])
def test_a_first_line_too_long_for_names(tmp_path: Path, text: str):
    with pytest.raises(InputError, match=r"log\.csv: its first line holds no names of columns"):
        read(write(tmp_path / "log.csv", text), {})
