"""Taobao's UserBehavior in its official layout: no header, UTC+8, rows of other years, rows that repeat."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.sources import taobao
from retrieval_leaderboard.datasets.sources.raw import need
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

FIRST, END = 1_511_539_200, 1_512_316_800
"""2017-11-25 00:00 and 2017-12-04 00:00 in UTC+8"""
ROWS = (
    f"1,2268318,2520377,pv,{FIRST}\n"
    f"1,2333346,2520771,cart,{FIRST + 5}\n"
    f"1,2333346,2520771,buy,{FIRST + 5}\n"
    f"1,2333346,2520771,buy,{FIRST + 5}\n"
    f"1,2268318,2520377,fav,{END - 1}\n"
    f"1,4,7,pv,{END}\n"
    "100,5153036,4756105,pv,1505131200\n"
    "100,5153036,4756105,pv,-1134567\n"
    f"100,5153036,4756105,pv,{FIRST - 1}\n"
    "100,5153036,4756105,pv,2122867355\n"
    f"100,4,7,pv,{FIRST + 9}\n"
    f"1000004,4,8,pv,{FIRST + 9}\n"
)


def write(folder: Path, rows: str = ROWS) -> Path:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "UserBehavior.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("UserBehavior.csv", rows)
    return folder


def test_rows_of_the_nine_days_once(tmp_path: Path):
    log = taobao.load(write(tmp_path)).log()
    assert decoded.timed(log) == [
        ("1", "2268318", FIRST),
        ("1", "2333346", FIRST + 5),
        ("1", "2333346", FIRST + 5),
        ("1", "2268318", END - 1),
        ("100", "4", FIRST + 9),
        ("1000004", "4", FIRST + 9),
    ]
    assert log.reading is not None and log.reading.rows == 12
    assert log.reading.dropped == {taobao.OUTSIDE: 5, taobao.AGAIN: 1}


def test_users_whose_rows_are_torn_apart_are_noted(tmp_path: Path):
    assert taobao.load(write(tmp_path)).log().notes == ()
    row = f"1,5,6,pv,{FIRST}\n"
    assert taobao.load(write(tmp_path, row + f"2,5,6,pv,{FIRST}\n" + row)).log().notes == (taobao.TORN,)


def test_the_category_is_a_feature_of_an_item(tmp_path: Path):
    source = taobao.load(write(tmp_path))
    log = source.log()
    found = {"4": "8", "2268318": "2520377", "2333346": "2520771"}
    assert decoded.values(log.item_features, "category", log.item_ids) == found
    again = taobao.load(tmp_path)
    assert again.describe_items is not None
    assert decoded.values(again.describe_items(log.item_ids), "category", log.item_ids) == found


def test_chunks_are_read_again_and_repeats_found_across_them(tmp_path: Path):
    small = taobao.LAYOUT.block_bytes // 20
    block = "".join(f"3,{number},1,pv,{FIRST + number % 700_000}\n" for number in range(1, small))
    source = taobao.load(write(tmp_path, block + block + f"4,1,1,pv,{FIRST + 1}\n"))
    for _ in range(2):
        chunks = list(source.chunks())
        assert len(chunks) > 2
        assert sum(map(len, chunks)) == small
        assert source.reading is not None
        assert source.reading().dropped == {taobao.AGAIN: small - 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"1,2,3,click,{FIRST}\n", "row 13: 'click' is no behavior, which are pv, cart, fav, buy"),
        (f"1,2,3,,{FIRST}\n", "row 13: '' is no behavior"),
        (f"1,2,3,{FIRST}\n", "line 13: 4 fields where there should be 5"),
        ("1,2,3,pv,2017-11-25\n", "line 13: '2017-11-25' in column 'time' is not a number"),
        (f"1,8388608,3,pv,{FIRST}\n", "row 13: item 8388608 is none of this dataset"),
        (f"-1,2,3,pv,{FIRST}\n", "row 13: user -1 is none of this dataset"),
    ],
)
def test_other_rows_are_refused(tmp_path: Path, row: str, message: str):
    with pytest.raises(InputError, match=rf"UserBehavior\.csv\.zip:UserBehavior\.csv, {message}"):
        taobao.load(write(tmp_path, ROWS + row)).log()


def test_the_published_count_is_that_of_all_rows(tmp_path: Path):
    rows = "".join(
        f"{user},{100 if (user, day) == (1, 8) else 10 * user + day % 5},1,pv,{FIRST + day * 86_400}\n"
        for user in (1, 2)
        for day in range(10)
    )
    with pytest.raises(InputError, match=r"get UserBehavior\.csv\.zip \(906 MB\) from https://tianchi"):
        load("taobao", tmp_path)
    write(tmp_path / "taobao", rows)
    assert need(tmp_path, "UserBehavior.csv").member == "UserBehavior.csv"
    data = load("taobao", tmp_path, exclude_seen=False)
    assert (data.protocol, data.profile.rows, data.profile.kept) == ("time", 20, 18)
    assert data.profile.dropped == {taobao.OUTSIDE: 2}
    assert "20 interactions, not the published 100,150,807" in data.notes
