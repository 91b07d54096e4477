"""Tmall's logs in their official layouts: days without a year, nested actions, archives with a space."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.sources import tmall
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

FORMAT_1 = (
    "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n"
    "328862,323294,833,2882,2661.0,829,0\n"
    "328862,844400,1271,2882,2661,0829,0\n"
    "34176,323294,833,2882,,511,2\n"
    "34176,575153,1271,420,4525,1111,3\n"
    "328862,323294,833,2882,2661,829,1\n"
    "7,1,2,5,3,612,0\n"
)
USERS = "user_id,age_range,gender\n328862,6,1\n34176,0,2\n99,,\n"
FORMAT_2 = {
    "train_format2.csv": (
        "user_id,age_range,gender,merchant_id,label,activity_log\n"
        "34176,0,2,2882,-1,323294:833::0511:2\n"
        "34176,0,2,420,0,575153:1271:4525:1111:3\n"
        "34176,0,2,77,-1,\n"
    ),
    "test_format2.csv": (
        "user_id,age_range,gender,merchant_id,label,activity_log\n"
        "328862,6,1,2882,,323294:833:2661:0829:0#844400:1271:2661:0829:0#323294:833:2661:0829:1\n"
        "7,,,5,,1:2:3:0612:0\n"
    ),
}


def day(month: int, number: int, year: int = 2014) -> int:
    return int(datetime(year, month, number, tzinfo=UTC).timestamp())


ACTIONS = [
    ("328862", "323294", day(8, 29)),
    ("328862", "844400", day(8, 29)),
    ("34176", "323294", day(5, 11)),
    ("34176", "575153", day(11, 11)),
    ("328862", "323294", day(8, 29)),
    ("7", "1", day(6, 12)),
]


def format_1(folder: Path, log: str = FORMAT_1) -> Path:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "data_format1 .zip", "w") as archive:
        archive.writestr("data_format1/user_log_format1.csv", log)
        archive.writestr("data_format1/user_info_format1.csv", USERS)
    return folder


def format_2(folder: Path, **changed: str) -> Path:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "data_format2.zip", "w") as archive:
        for name, content in FORMAT_2.items():
            archive.writestr(f"data_format2/{name}", content + changed.get(name.partition("_")[0], ""))
    return folder


def test_format_1(tmp_path: Path):
    assert tmall.holds(format_1(tmp_path))
    assert decoded.timed(tmall.load(tmp_path).log()) == ACTIONS


def test_both_formats_give_the_same_actions_and_features(tmp_path: Path):
    first, second = tmall.load(format_1(tmp_path / "1")).log(), tmall.load(format_2(tmp_path / "2")).log()
    assert sorted(decoded.timed(second)) == sorted(ACTIONS)
    for log in (first, second):
        assert log.item_ids.tolist() == ["1", "323294", "575153", "844400"]
        seller = decoded.values(log.item_features, "seller_id", log.item_ids)
        assert seller == {"1": "5", "323294": "2882", "575153": "420", "844400": "2882"}
        brand = decoded.values(log.item_features, "brand_id", log.item_ids)
        assert brand["575153"] == "4525"
        assert decoded.values(log.item_features, "cat_id", log.item_ids)["844400"] == "1271"
        assert decoded.values(log.user_features, "age_range", log.user_ids) == {
            "7": "unknown",
            "34176": "unknown",
            "328862": "6",
        }
        assert decoded.values(log.user_features, "gender", log.user_ids) == {
            "7": "unknown",
            "34176": "unknown",
            "328862": "1",
        }


def test_half_of_format_2_is_not_held(tmp_path: Path):
    (tmp_path / "train_format2.csv").write_text(FORMAT_2["train_format2.csv"])
    assert not tmall.holds(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,2,3,4,5,230,0\n", r"user_log_format1\.csv, row 7: 20140230 is no time"),
        ("1,2,3,4,5,1301,0\n", r"user_log_format1\.csv, row 7: 20141301 is no time"),
        ("1,2,3,4,5,0,0\n", r"user_log_format1\.csv, row 7: 20140000 is no time"),
        ("1,2,3,4,5,,0\n", r"user_log_format1\.csv, line 8: '' in column 'time_stamp' is not a number"),
    ],
)
def test_days_that_there_are_not(tmp_path: Path, row: str, message: str):
    with pytest.raises(InputError, match=message):
        tmall.load(format_1(tmp_path, FORMAT_1 + row)).log()


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ("323294:833:0511:2", r"train_format2\.csv, row 4: '323294:833:0511:2' is no action"),
        ("323294:833:5:0511:2#a:1:1:0511:0", r"train_format2\.csv, row 4: 'a:1:1:0511:0' is no action"),
        ("323294:833:5:0511:2#:1:1:0511:0", r"train_format2\.csv, row 4: an action lacks its item"),
        ("323294:833:5::2", r"train_format2\.csv, row 4: an action lacks its day"),
        ("323294:833:5:0431:2", r"train_format2\.csv, row 4: 20140431 is no time"),
    ],
)
def test_broken_actions(tmp_path: Path, actions: str, message: str):
    with pytest.raises(InputError, match=message):
        tmall.load(format_2(tmp_path, train=f"5,1,1,2882,0,{actions}\n")).log()


def test_ijcai_16(tmp_path: Path):
    rows = (
        "use_ID,sel_ID,ite_ID,cat_ID,act_ID,time\n1980536,9666,1,2,0,20150826\n1980536,9666,22,3,1,20151130\n"
    )
    (tmp_path / "ijcai2016_taobao.csv").write_text(rows)
    log = tmall.load_ijcai16(tmp_path).log()
    assert decoded.timed(log) == [
        ("1980536", "1", day(8, 26, 2015)),
        ("1980536", "22", day(11, 30, 2015)),
    ]
    assert decoded.values(log.item_features, "cat_ID", log.item_ids) == {"1": "2", "22": "3"}
    assert log.user_features is None


def test_by_name(tmp_path: Path):
    lines = "".join(
        f"{user},{number % 5},1,1,1,{500 + number},0\n"
        for user in (1, 2)
        for number in range(1, 30)
        if number % 7 != user
    )
    format_1(tmp_path / "tmall", FORMAT_1.splitlines()[0] + "\n" + lines)
    data = load("tmall", tmp_path, exclude_seen=False)
    assert (data.protocol, len(data.test)) == ("time", 2)
    with pytest.raises(
        InputError, match=r"get IJCAI16_data\.zip from https://tianchi\.aliyun\.com/dataset/53"
    ):
        load("ijcai-16", tmp_path)
