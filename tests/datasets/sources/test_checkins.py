"""Gowalla's check-ins in SNAP's layout."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.sources import checkins
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

ROWS = (
    "0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n"
    "0\t2010-10-18T22:17:43Z\t30.2691029532\t-97.7493953705\t420315\n"
    "0\t2010-10-17T23:42:03Z\t30.2557309927\t-97.7633857727\t22847\n"
    "17\t2009-02-28T23:59:59Z\t-90.0\t180.0\t9\n"
)


def write(folder: Path, rows: str) -> Path:
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / "loc-gowalla_totalCheckins.txt.gz", "wt") as file:
        file.write(rows)
    return folder


def test_as_written(tmp_path: Path):
    log = checkins.load(write(tmp_path, ROWS)).log()
    assert decoded.timed(log) == [
        ("0", "22847", 1_287_532_527),
        ("0", "420315", 1_287_440_263),
        ("0", "22847", 1_287_358_923),
        ("17", "9", 1_235_865_599),
    ]


def test_it_has_a_time_split_and_a_board_of_its_own(tmp_path: Path):
    days = range(30, 0, -1)
    visits = [(1, day, 100 if day > 27 else day % 7) for day in days]
    visits += [(2, day, 100 if day == 1 else day % 7) for day in days]
    rows = "".join(f"{user}\t2010-10-{day:02d}T00:00:00Z\t0\t0\t{place}\n" for user, day, place in visits)
    write(tmp_path / checkins.NAME, rows)
    data = load(checkins.NAME, tmp_path)
    assert (data.name, data.protocol) == ("gowalla-checkins", "time")
    assert data.name != SOURCES["gowalla"].name
    assert any("duplicate interactions" in note for note in data.notes)
    history = data.item_ids[data.test.history[0]].tolist()
    assert history == ["1", "2", "3", "4", "5", "6", "0"]
    assert data.item_ids[data.test.relevant[0]].tolist() == ["100"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0\t2010-10-19\t1\t1\t5\n", "row 5: 2010-10-19 is no time"),
        ("0\t2010-02-30T00:00:00Z\t1\t1\t5\n", "row 5: 2010-02-30T00:00:00Z is no time"),
        ("0\t\t1\t1\t5\n", "row 5: None is no time"),
        ("0\t2010-10-19T23:55:27Z\t1\t1\n", "line 5: 4 fields where there should be 5"),
        ("0\t2010-10-19T23:55:27Z\t1\t1\tx\n", "line 5: 'x' in column 'location' is not a number"),
    ],
)
def test_other_rows_are_refused(tmp_path: Path, row: str, message: str):
    with pytest.raises(InputError, match=rf"loc-gowalla_totalCheckins\.txt\.gz, {message}"):
        checkins.load(write(tmp_path, ROWS + row)).log()


def test_a_bad_row_far_into_the_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="row 40001: soon is no time"):
        checkins.load(write(tmp_path, ROWS * 10_000 + "0\tsoon\t1\t1\t5\n")).log()
