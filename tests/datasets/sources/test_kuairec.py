"""KuaiRec in its official layout: empty times, repeated pairs, lists in texts, two versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.log import TEST, TRAIN
from retrieval_leaderboard.datasets.sources import kuairec
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

HEADER = "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
BIG = (
    "0,3649,13838,10867,2020-07-05 00:08:23.438,20200705,1593878903.438,1.273\n"
    "0,9598,30000,10984,2020-07-05 00:13:41.297,20200705,1593879221.297,2.7312\n"
    "0,5262,20000,10000,2020-07-05 00:16:06.687,20200705,1593879366.687,2.0\n"
    "0,9598,30000,10984,2020-07-05 00:17:00.500,20200705,1593879420.5,2.7312\n"
    "21,5262,20000,10000,2020-07-05 00:20:26.792,20200705,1593879626.792,2.5\n"
    "21,148,90000,6067,2020-07-05 00:43:05.128,20200705,1593880985.128,14.8343\n"
    "30,148,90000,6067,2020-07-06 00:43:05.128,20200706,1593967385.128,14.8343\n"
)
SMALL = (
    "21,148,4381,6067,2020-07-05 05:27:48.378,20200705.0,1593898068.378,0.722\n"
    "21,5262,11635,10000,2020-07-05 05:28:00.057,20200705.0,1593898080.057,2.9\n"
    "21,9598,22422,10984,,,,2.0413\n"
    "21,3649,4479,10867,,,,0.4122\n"
    "0,9598,4479,10984,,,,0.4\n"
)
CATEGORIES = 'video_id,feat\n148,[8]\n3649,"[27, 9]"\n5262,[]\n9598,"[26, 9]"\n10727,[5]\n'
USERS = (
    "user_id,user_active_degree,is_lowactive_period,is_live_streamer,is_video_author,follow_user_num,"
    "follow_user_num_range,fans_user_num,fans_user_num_range,friend_user_num,friend_user_num_range,"
    "register_days,register_days_range,onehot_feat0\n"
    '0,high_active,0,0,0,5,"(0,10]",0,0,0,0,107,61-90,0\n'
    '21,UNKNOWN,0,0,0,386,"(250,500]",4,"[1,10)",2,"[1,5)",327,181-365,0\n'
)


def write(folder: Path, big: str = BIG, small: str = SMALL, categories: str = CATEGORIES) -> Path:
    data = folder / "KuaiRec 2.0" / "data"
    data.mkdir(parents=True)
    (data / "big_matrix.csv").write_text(HEADER + big)
    (data / "small_matrix.csv").write_text(HEADER + small)
    (data / "item_categories.csv").write_text(categories)
    (data / "user_features.csv").write_text(USERS)
    return folder


def test_watches_of_twice_the_length_are_interactions(tmp_path: Path):
    log = kuairec.load(write(tmp_path)).log()
    assert decoded.pairs(log, TRAIN) == [
        ("0", "9598"),
        ("0", "5262"),
        ("0", "9598"),
        ("21", "148"),
        ("30", "148"),
    ]
    assert decoded.pairs(log, TEST) == [("21", "5262"), ("21", "9598")]
    assert log.timestamp is not None and log.nanoseconds is not None
    last = 1_593_967_385
    assert log.timestamp.tolist() == [
        1_593_879_221,
        1_593_879_366,
        1_593_879_420,
        1_593_880_985,
        last,
        1_593_898_080,
        last,
    ]
    assert log.nanoseconds.tolist() == [297e6, 687e6, 500e6, 128e6, 128e6, 57e6, 128e6]
    assert log.reading is not None and log.reading.rows == 12
    assert log.reading.dropped == {
        "watched less than 2 times their length": 4,
        "of the big matrix whose pair is a test pair": 1,
    }
    assert log.title == "kuairec, version 2"


def test_it_may_be_read_again(tmp_path: Path):
    source = kuairec.load(write(tmp_path))
    first, second = source.log(), source.log()
    assert decoded.timed(first) == decoded.timed(second)
    assert first.reading == second.reading


def test_the_big_matrix_alone_keeps_all_of_its_pairs(tmp_path: Path):
    log = kuairec.load_big(write(tmp_path)).log()
    assert log.part is None
    assert ("21", "5262") in decoded.pairs(log)
    assert len(log.user) == 6


def test_features(tmp_path: Path):
    log = kuairec.load(write(tmp_path)).log()
    found = decoded.values(log.item_features, "categories", log.item_ids)
    assert found == {"148": ["8"], "5262": [], "9598": ["26", "9"]}
    assert decoded.values(log.user_features, "user_active_degree", log.user_ids) == {
        "0": "high_active",
        "21": "unknown",
        "30": "unknown",
    }
    assert decoded.values(log.user_features, "follow_user_num_range", log.user_ids)["21"] == "(250,500]"


def test_the_small_matrix_is_the_test(tmp_path: Path):
    write(tmp_path / "kuairec")
    data = load("kuairec", tmp_path)
    assert [data.user_ids[user] for user in data.test.user] == ["21"]
    assert sorted(data.item_ids[data.test.relevant[0]]) == ["5262", "9598"]
    assert data.item_ids[data.test.history[0]].tolist() == ["148"]
    assert load("kuairec-big", tmp_path, protocol="next-item").name == "kuairec-big"


V1 = CATEGORIES.replace("10727", "10728")
"""The categories of version 1: ids after 1225 are one more"""


def test_version_1_is_told(tmp_path: Path):
    assert kuairec.load(write(tmp_path, categories=V1)).title == "kuairec, version 1"


OTHER_LENGTHS = SMALL.replace(",6067,", ",1,").replace(",10000,", ",2,").replace(",10984,", ",3,")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"big": BIG + "0,10728,9,4,,,1593878903.4,2.1\n"},
            r"big_matrix\.csv has other videos than item_cat",
        ),
        (
            {"big": BIG + "0,1225,9,4,,,1593878903.4,2\n", "categories": V1},
            r"big_matrix\.csv has other videos",
        ),
        ({"small": SMALL + "21,10728,9,4,,,,2.1\n"}, r"small_matrix\.csv has other videos"),
        (
            {"small": OTHER_LENGTHS},
            r"the videos of .*big_matrix\.csv have other lengths than in small_matrix\.csv",
        ),
    ],
)
def test_files_of_two_versions_are_refused(tmp_path: Path, files: dict[str, str], message: str):
    with pytest.raises(InputError, match=rf"{message}.*: they are of two versions of KuaiRec"):
        kuairec.load(write(tmp_path, **files)).log()


def test_a_training_row_without_a_time_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"big_matrix\.csv has watches without a time"):
        kuairec.load(write(tmp_path, big=BIG + "0,148,9,6067,,,,2.1\n")).log()


def test_without_a_file_it_is_not_held(tmp_path: Path):
    write(tmp_path / "kuairec")
    (tmp_path / "kuairec" / "KuaiRec 2.0" / "data" / "small_matrix.csv").unlink()
    with pytest.raises(InputError, match=r"get KuaiRec\.zip from https://zenodo.org/records/18164998"):
        load("kuairec", tmp_path)
    assert load("kuairec-big", tmp_path, protocol="next-item").name == "kuairec-big"
