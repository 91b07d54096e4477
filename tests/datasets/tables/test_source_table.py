"""A user's files as columns: separators, encodings, quotes, true lines, and Parquet's shapes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval_leaderboard.datasets.tables.source_table import open_table
from retrieval_leaderboard.support.errors import InputError


def read(path: Path, content: str | bytes) -> dict[str, dict[int, str]]:
    """column → line → value."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = open_table(path, {})
    return {name: source.column(name).to_dict() for name in source.names}


@pytest.mark.parametrize(
    ("name", "separator"),
    [*(("log.csv", each) for each in ",;\t| "), ("log.tsv", "\t"), *(("log.inter", each) for each in "\t ,")],
)
def test_separators_are_found(tmp_path: Path, name: str, separator: str):
    text = f"user{separator}item\n1{separator}a\n"
    assert read(tmp_path / name, text) == {"user": {2: "1"}, "item": {2: "a"}}


def test_another_separator_inside_a_name_does_no_harm(tmp_path: Path):
    assert list(read(tmp_path / "log.csv", "user;item;a,b,c,d\n1;a;x\n")) == ["user", "item", "a,b,c,d"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "log.csv",
            "user:item\n1:a\n",
            "one field, 'user:item'; write the names there, separated by commas or tabs",
        ),
        ("log.tsv", "user,item\n1,a\n", "separated by tabs"),
    ],
)
def test_an_unknown_separator_is_named(tmp_path: Path, name: str, text: str, message: str):
    with pytest.raises(InputError, match=message):
        read(tmp_path / name, text)


@pytest.mark.parametrize("name", ["log.tsv", "log.inter"])
def test_tabs_have_no_quotes(tmp_path: Path, name: str):
    found = read(tmp_path / name, 'user\titem\ttitle\n1\ta\t"x\n2\tb\ty\n3\tc\tz"\n')
    assert found["user"] == {2: "1", 3: "2", 4: "3"}
    assert found["title"][2] == '"x'


def test_lines_inside_quotes_are_counted_and_the_lines_after_them_are_true(tmp_path: Path):
    path = tmp_path / "log.csv"
    found = read(path, 'user,item,text\n1,a,"one\ntwo\n\nfour"\n2,b,5" disc\n\n3,c,x\n')
    assert found["user"] == {2: "1", 6: "2", 8: "3"}
    assert open_table(path, {}).notes == (
        "3 lines lie inside quoted fields and are no rows: is a quote stray?",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('user,item\n1,"a\nb"\n2,c,d\n', "log.csv, line 4: 3 fields, not 2"),
        ('user,item\n1,"a\nb"\n2,"c\n3,d\n', "log.csv, line 4: a quote is opened here and never closed"),
        ("user,item\n1,a\n2\0,b\n", "log.csv, line 3: a NUL byte"),
        ("\n\nuser,item\n1,a\n2,b,c\n", "log.csv, line 5: 3 fields, not 2"),
    ],
)
def test_errors_name_the_true_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        read(tmp_path / "log.csv", text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(tmp_path: Path, end: str):
    found = read(tmp_path / "log.csv", end.join(["", "user,item", "1,a", "", "2,b"]))
    assert found["user"] == {3: "1", 5: "2"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark(tmp_path: Path, encoding: str):
    assert read(tmp_path / "log.csv", "user,item\nJosé,a\n".encode(encoding))["user"] == {2: "José"}


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_another_encoding_is_refused_with_its_line(tmp_path: Path, encoding: str):
    with pytest.raises(InputError, match=r"log\.csv, line 3: the text is not utf-8; save the file as UTF-8"):
        read(tmp_path / "log.csv", "user,item\n1,a\nJosé,a\n".encode(encoding))


# Parquet


def write(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_integers_stay_exact_beside_missing_ones(tmp_path: Path):
    path = write(tmp_path / "log.parquet", user=pa.array([2**53 + 1, None]), item=pa.array([1, 2]))
    user = open_table(path, {}).column("user")
    assert (user.iloc[0], user.index.tolist(), user.index.name) == (2**53 + 1, [1, 2], "row")


def test_dictionaries_are_resolved_and_dots_are_no_paths(tmp_path: Path):
    path = write(tmp_path / "log.parquet", **{"a.b": pa.array(["x", "x"]).dictionary_encode()})
    assert open_table(path, {}).column("a.b").tolist() == ["x", "x"]


def test_the_index_of_pandas_is_read(tmp_path: Path):
    index = pd.MultiIndex.from_tuples([("ann", 5)], names=["user", "time"])
    pd.DataFrame({"item": ["x"]}, index=index).to_parquet(tmp_path / "log.parquet")
    source = open_table(tmp_path / "log.parquet", {})
    assert source.names == ["item", "user", "time"]
    assert source.column("user").tolist() == ["ann"]


@pytest.mark.parametrize(("freq", "start"), [("M", "2020-01-01"), ("W", "2019-12-30"), ("D", "2020-01-01")])
def test_a_period_is_its_start(tmp_path: Path, freq: str, start: str):
    period = pd.period_range("2020-01-01", periods=1, freq=freq)
    pd.DataFrame({"time": period}).to_parquet(tmp_path / "log.parquet")
    assert open_table(tmp_path / "log.parquet", {}).column("time").tolist() == [pd.Timestamp(start)]


def test_a_folder_of_parts_is_one_table(tmp_path: Path):
    folder = tmp_path / "log.parquet"
    folder.mkdir()
    (folder / "_SUCCESS").write_text("")
    write(folder / "part-1.parquet", user=pa.array([3]))
    write(folder / "part-0.parquet", user=pa.array([1, 2]))
    user = open_table(folder, {}).cells("user")
    assert user.values.tolist() == [1, 2, 3]
    assert [user.place(at) for at in range(3)] == [
        "part-0.parquet, row 1",
        "part-0.parquet, row 2",
        "part-1.parquet, row 1",
    ]
    (folder / "part-2.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        open_table(folder, {}).column("user")


def test_folders_by_the_values_of_a_column(tmp_path: Path):
    frame = pd.DataFrame({"user": [1, 2], "date": ["2020-01-01", "2020-01-02"]})
    frame.to_parquet(tmp_path / "log", partition_cols=["date"])
    assert open_table(tmp_path / "log", {}).column("date").tolist() == frame["date"].tolist()


def test_damage_inside_a_parquet_file_is_one_sentence(tmp_path: Path):
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"user": ["abcdefgh"]}), path, compression="none", write_statistics=False)
    content = path.read_bytes()
    assert content.count(b"abcdefgh") == 1
    path.write_bytes(content.replace(b"abcdefgh", b"abc\xff\xfefgh"))
    with pytest.raises(
        InputError, match=r"log\.parquet: not a readable Parquet file \(.*\); write it again$"
    ) as error:
        open_table(path, {}).column("user")
    assert "\n" not in str(error.value)
