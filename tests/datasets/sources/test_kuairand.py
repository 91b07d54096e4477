"""KuaiRand in its official layout: clicks, parts, the random log as test."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.log import TEST, TRAIN
from retrieval_leaderboard.datasets.sources import kuairand
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

HEADER = (
    "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,"
    "play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab\n"
)
VIDEOS = (
    "video_id,author_id,video_type,upload_dt,upload_type,visible_status,video_duration,server_width,"
    "server_height,music_id,music_type,tag\n"
    '5,1,NORMAL,2022-01-01,ShortImport,1.0,5966.0,720,1280,3350323409,9.0,"12,65"\n'
    "7,2,AD,2022-01-01,LongImport,1.0,,720,1280,0,,39\n"
    "8,3,NORMAL,2022-01-01,ShortImport,1.0,5966.0,720,1280,4,9.0,\n"
)
USERS = (
    "user_id,user_active_degree,is_lowactive_period,is_live_streamer,is_video_author,follow_user_num,"
    "follow_user_num_range,fans_user_num,fans_user_num_range,friend_user_num,friend_user_num_range,register_days,"
    "register_days_range,onehot_feat0\n"
    '0,full_active,0,0,0,5,"(0,10]",0,0,0,0,107,61-90,0\n'
)


def row(user: int, video: int, ms: int, click: int = 1, rand: int = 0) -> str:
    return f"{user},{video},20220408,1600,{ms},{click},0,0,0,0,0,1,{click * 9000},10000,0,0,0,{rand},1\n"


FIRST = 1_649_404_800_000
"""2022-04-08 08:00 UTC"""
BEFORE = row(0, 5, FIRST + 1) + row(0, 7, FIRST, 0) + row(3, 7, FIRST + 2_500)
DURING = row(0, 8, FIRST + 20 * 86_400_000)
RANDOM = row(3, 5, FIRST + 15 * 86_400_000, 1, 1) + row(3, 8, FIRST + 15 * 86_400_000, 0, 1)


def write(folder: Path, logs: dict[str, str], size: str) -> Path:
    data = folder / f"KuaiRand-{size.upper()}" / "data"
    data.mkdir(parents=True)
    for name, rows in logs.items():
        (data / f"{name}.csv").write_text(HEADER + rows)
    (data / f"video_features_basic_{size}.csv").write_text(VIDEOS)
    (data / f"user_features_{size}.csv").write_text(USERS)
    return folder


def pure(folder: Path) -> Path:
    logs = {
        "log_standard_4_08_to_4_21_pure": BEFORE,
        "log_standard_4_22_to_5_08_pure": DURING,
        "log_random_4_22_to_5_08_pure": RANDOM,
    }
    return write(folder, logs, "pure")


def parts(folder: Path, *numbers: int) -> Path:
    logs = {f"log_standard_4_08_to_4_21_27k_part{n}": row(n, n, FIRST + n) for n in numbers}
    logs |= {f"log_standard_4_22_to_5_08_27k_part{n}": row(n, 9, FIRST + n) for n in (1, 2)}
    return write(folder, logs | {"log_random_4_22_to_5_08_27k": RANDOM}, "27k")


def test_clicks_of_the_standard_logs(tmp_path: Path):
    log = kuairand.load(pure(tmp_path), "pure").log()
    first = FIRST // 1000
    assert decoded.timed(log) == [("0", "5", first), ("3", "7", first + 2), ("0", "8", first + 20 * 86_400)]
    assert log.nanoseconds is not None and log.nanoseconds.tolist() == [1_000_000, 500_000_000, 0]
    assert log.part is None
    assert log.reading is not None and log.reading.rows == 4
    assert log.reading.dropped == {"not clicked": 1}


def test_clicks_of_the_random_log_are_the_unbiased_test(tmp_path: Path):
    log = kuairand.load_unbiased(pure(tmp_path), "pure").log()
    assert decoded.pairs(log, TRAIN) == [("0", "5"), ("3", "7")]
    assert decoded.pairs(log, TEST) == [("3", "5")]


def test_features(tmp_path: Path):
    log = kuairand.load(pure(tmp_path), "pure").log()
    assert decoded.values(log.item_features, "tags", log.item_ids) == {
        "5": ["12", "65"],
        "7": ["39"],
        "8": [],
    }
    types = decoded.values(log.item_features, "music_type", log.item_ids)
    assert types == {"5": "9.0", "7": "unknown", "8": "9.0"}
    found = decoded.values(log.user_features, "follow_user_num_range", log.user_ids)
    assert found == {"0": "(0,10]", "3": "unknown"}


def test_parts_are_read_in_their_order(tmp_path: Path):
    log = kuairand.load(parts(tmp_path, 1, 2), "27k").log()
    assert decoded.pairs(log) == [("1", "1"), ("2", "2"), ("1", "9"), ("2", "9")]
    assert log.item_features is None and log.user_features is not None


def test_a_missing_part_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"lacks log_standard_4_08_to_4_21_27k_part1\.csv"):
        kuairand.load(parts(tmp_path, 2), "27k")


def test_both_datasets_share_a_folder(tmp_path: Path):
    pure(tmp_path / "kuairand-pure")
    data = load("kuairand-pure-unbiased", tmp_path)
    assert (data.name, data.protocol) == ("kuairand-pure-unbiased", "published")
    assert data.item_ids[data.test.relevant[0]].tolist() == ["5"]
    with pytest.raises(InputError, match=r"kuairand-1k is not in .*kuairand-1k; get KuaiRand-1K\.tar\.gz"):
        load("kuairand-1k", tmp_path)


def test_a_row_that_does_not_fit_is_named(tmp_path: Path):
    broken = BEFORE + row(0, 5, FIRST).replace(f"{FIRST}", "soon")
    folder = write(
        tmp_path, {"log_standard_4_08_to_4_21_pure": broken, "log_standard_4_22_to_5_08_pure": DURING}, "pure"
    )
    with pytest.raises(
        InputError, match=r"4_21_pure\.csv, line 5: 'soon' in column 'time_ms' is not a number"
    ):
        kuairand.load(folder, "pure").log()
