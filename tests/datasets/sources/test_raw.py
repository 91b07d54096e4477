"""Where a source's file is found, and days."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.datasets.sources import raw
from retrieval_leaderboard.support.errors import InputError


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("deep/down/x.csv", "1")


def test_unpacked_files_come_before_those_of_an_archive(tmp_path: Path):
    assert raw.find(tmp_path / "none", "x.csv") is None
    zipped(tmp_path / "a .zip")
    assert raw.find(tmp_path, "x.csv") == RawFile(tmp_path / "a .zip", "deep/down/x.csv")
    (tmp_path / "b" / "data").mkdir(parents=True)
    (tmp_path / "b" / "data" / "x.csv.gz").write_text("1")
    assert raw.find(tmp_path, "x.csv") == RawFile(tmp_path / "b" / "data" / "x.csv.gz")
    (tmp_path / "b" / "data" / "x.csv").write_text("1")
    assert raw.find(tmp_path, "x.csv") == RawFile(tmp_path / "b" / "data" / "x.csv")


def test_two_copies_are_refused(tmp_path: Path):
    for folder in ("KuaiRec", "KuaiRec 2.0"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.csv").write_text("1")
    with pytest.raises(
        InputError, match=r"KuaiRec/x\.csv and .*KuaiRec 2\.0/x\.csv are two files of one name"
    ):
        raw.find(tmp_path, "x.csv")


def test_days_are_those_of_the_calendar():
    days = np.array([20160229, 19691231, 20141111, 20150101])
    found = raw.from_dates(days, RawFile(Path("x")), np.arange(4))
    expected = [datetime.strptime(str(day), "%Y%m%d").replace(tzinfo=UTC).timestamp() for day in days]
    assert found.tolist() == expected


@pytest.mark.parametrize("day", [20150229, 20150931, 20150900, 20150032, 20151301, 0, -1])
def test_other_numbers_are_no_days(day: int):
    with pytest.raises(InputError, match=rf"x, row 8: {day} is no time"):
        raw.from_dates(np.array([20150101, day]), RawFile(Path("x")), np.array([5, 7]))
