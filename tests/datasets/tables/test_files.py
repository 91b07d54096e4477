"""Which files a path stands for."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval_leaderboard.datasets.tables import files
from retrieval_leaderboard.datasets.tables.source_table import open_table
from retrieval_leaderboard.support.errors import InputError

ROWS = "user,item\n1,a\n"


def fill(folder: Path, *names: str, text: str = ROWS) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = text.encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def found(given: Path | str) -> list[str]:
    return [each.path.name for each in files.find(given)[0]]


def test_a_folder_as_spark_writes_it(tmp_path: Path):
    fill(tmp_path, "part-00001-x.csv.gz", "part-00000-x.csv.gz", "_SUCCESS", "._SUCCESS.crc")
    fill(tmp_path, ".part-00000-x.csv.gz.crc", "_temporary/0/part-9.csv.gz")
    assert found(tmp_path) == ["part-00000-x.csv.gz", "part-00001-x.csv.gz"]
    assert files.find(tmp_path)[1] == ()


def test_a_pattern(tmp_path: Path):
    fill(tmp_path, "logs/2024-02.csv.gz", "logs/2024-01.csv.gz", "logs/2023-01.csv.gz", "logs/2024.txt")
    assert found(tmp_path / "logs" / "2024-*.csv.gz") == ["2024-01.csv.gz", "2024-02.csv.gz"]
    assert found(str(tmp_path / "*" / "202[34]-01.csv.gz")) == ["2023-01.csv.gz", "2024-01.csv.gz"]
    assert found(tmp_path / "**" / "*.gz") == ["2023-01.csv.gz", "2024-01.csv.gz", "2024-02.csv.gz"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("pattern", ["", "day=*", "day=*/part-*"])
def test_folders_that_name_a_column(tmp_path: Path, suffix: str, pattern: str):
    for day in ("2024-01-02", "2024-01-01", "a%3Ab", "__HIVE_DEFAULT_PARTITION__"):
        folder = tmp_path / "log" / f"day={day}"
        folder.mkdir(parents=True)
        if suffix == "csv":
            fill(folder, "part-0.csv")
        else:
            pq.write_table(pa.table({"user": [1], "item": ["a"]}), folder / "part-0.parquet")
    table = open_table(tmp_path / "log" / pattern if pattern else tmp_path / "log", {})
    assert table.names == ["user", "item", "day"]
    days = table.cells("day")
    assert days.values.tolist()[:2] == ["2024-01-01", "2024-01-02"]
    assert days.missing().tolist() == [False, False, True, False]
    assert days.values.tolist()[3] == "a:b"


def test_a_column_of_the_file_and_of_the_folder(tmp_path: Path):
    fill(tmp_path, "user=1/part.csv")
    with pytest.raises(InputError, match=r"part\.csv: 'user' is a column of the file and the name of its"):
        open_table(tmp_path, {})


def test_files_that_are_no_tables_are_named(tmp_path: Path):
    fill(tmp_path, "a.csv", "README.md")
    assert open_table(tmp_path, {}).notes == ("files that are no tables are not read: README.md",)


def test_files_with_nothing_in_them(tmp_path: Path):
    fill(tmp_path, "part-0.csv", "part-2.csv")
    fill(tmp_path, "part-1.csv", text="")
    assert open_table(tmp_path, {}).column("user").tolist() == ["1", "1"]
    fill(tmp_path, "part-0.csv", "part-2.csv", text="\n")
    with pytest.raises(InputError, match=r"part-0\.csv: the file is empty, and so are the others"):
        open_table(tmp_path, {})


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((), "there is no file in it, or of that pattern, that ends in .csv, "),
        (("notes.txt",), "there is no file in it"),
        (("a.csv", "b.parquet"), "a.csv and b.parquet are of two formats; name the files of the log"),
        (
            ("x.train.inter", "x.test.inter"),
            "x.train.inter and x.test.inter look split; give them by --train",
        ),
        (("train.csv", "test.csv", "valid.csv"), "train.csv and valid.csv look split"),
        (("train-2024.csv", "test-2024.csv"), "train-2024.csv and test-2024.csv look split"),
        (("train_part.csv", "validation_part.csv"), "look split; give them by --train and --valid"),
        (("trainset.csv", "testset.csv"), "trainset.csv and testset.csv look split"),
        (("ua.base.csv", "ua.dev.csv"), "ua.base.csv and ua.dev.csv look split"),
        (("train/part-0.csv", "test/part-0.csv"), "train/part-0.csv and test/part-0.csv look split"),
        (("split=train/a.csv", "split=test/a.csv"), "split=train/a.csv and split=test/a.csv look split"),
        (("_delta_log/0.json", "a.parquet"), "is a Delta table, which keeps rows that were deleted"),
    ],
)
def test_folders_that_are_hardly_a_log(tmp_path: Path, names: tuple[str, ...], sentence: str):
    fill(tmp_path, *names)
    for given in (tmp_path, tmp_path / "*"):
        if "_delta_log/0.json" in names and given != tmp_path:
            continue
        with pytest.raises(InputError) as error:
            files.find(given)
        assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("name", "latest"),
    [
        ("contest.csv", "latest.csv"),
        ("train.csv", "b.csv"),
        ("trainer.csv", "test.csv"),
        ("train_test_1.csv", "train_test_2.csv"),
    ],
)
def test_names_that_are_no_split(tmp_path: Path, name: str, latest: str):
    fill(tmp_path, name, latest)
    assert len(found(tmp_path)) == 2


def test_files_of_other_columns(tmp_path: Path):
    fill(tmp_path, "a.csv")
    fill(tmp_path, "b.csv", text="item,user\na,1\n")
    assert open_table(tmp_path, {}).column("user").tolist() == ["1", "1"]
    fill(tmp_path, "c.csv", text="user,item,price\n1,a,2\n")
    with pytest.raises(InputError) as error:
        open_table(tmp_path, {})
    assert str(error.value) == (
        f"{tmp_path / 'c.csv'} has other columns than {tmp_path / 'a.csv'}: user, item, price and not user, "
        "item; files of one log have the same"
    )


def test_types_that_differ_from_file_to_file(tmp_path: Path):
    def write(number: int, values: pa.Array) -> None:
        pq.write_table(pa.table({"user": values}), tmp_path / f"{number}.parquet")

    write(0, pa.array([2**53 + 1], pa.int64()))
    write(1, pa.array([7], pa.int32()))
    write(2, pa.array([None], pa.null()))
    assert open_table(tmp_path, {}).column("user").tolist() == [2**53 + 1, 7, pd.NA]
    write(3, pa.array([1.5]))
    with pytest.raises(InputError, match=r"column 'user' has several types \(.*double in .*3\.parquet\)"):
        open_table(tmp_path, {}).cells("user")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("ml-1m", False),
        ("mine", False),
        ("mine.csv", True),
        ("mine.CSV.gz", True),
        ("a/b", True),
        ("*", True),
    ],
)
def test_names_and_paths(text: str, path: bool):
    assert files.is_path(text) is path


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="there it means as much as *.csv")
def test_what_is_no_pattern(tmp_path: Path):
    with pytest.raises(InputError, match=r"\*\*\.csv is no pattern"):
        files.find(tmp_path / "**.csv")


def test_the_home_of_nobody():
    with pytest.raises(InputError, match=r"~nobody-of-this-name/log\.csv: there is no home folder"):
        files.find("~nobody-of-this-name/log.csv")


def test_linked_folders_are_read_and_loops_end(tmp_path: Path):
    fill(tmp_path, "log/day=1/p.csv", "disk2/q.csv", "disk2/deep/r.csv")
    (tmp_path / "log" / "day=2").symlink_to(tmp_path / "disk2")
    (tmp_path / "disk2" / "deep" / "back").symlink_to(tmp_path / "log")
    assert found(tmp_path / "log") == ["p.csv", "r.csv", "q.csv"]
    assert [path.name for path in files.inside(tmp_path / "log")] == ["p.csv", "r.csv", "q.csv"]
    assert list(files.inside(tmp_path / "nowhere")) == []


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch):
    fill(tmp_path, "log/a.csv", "log/private/b.csv")
    real = Path.iterdir

    def guarded(path: Path):
        if path.name == "private":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "iterdir", guarded)
    with pytest.raises(InputError, match="private cannot be read: Permission denied"):
        files.find(tmp_path / "log")
