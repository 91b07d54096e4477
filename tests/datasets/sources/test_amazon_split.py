"""Files of Amazon's reviews that come split."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.log import TEST, TRAIN, VALID
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded
from tests.datasets.sources.amazon_files import HEADER, READ_2023, ROWS_2023, put, read


def test_files_that_come_split_keep_their_parts(tmp_path: Path):
    rows = ROWS_2023.splitlines(keepends=True)
    for part, row in zip(("train", "valid", "test"), rows, strict=True):
        put(tmp_path, f"5core/last_out/Video_Games.{part}.csv.gz", HEADER + row)
    log = read(tmp_path, 2023)
    assert log.name == "amazon-2023-video-games-5core"
    assert sorted(decoded.timed(log)) == sorted(READ_2023)
    assert [decoded.pairs(log, part) for part in (TRAIN, VALID, TEST)] == [[row[:2]] for row in READ_2023]
    assert log.reading is not None and log.reading.rows == 3


def test_the_histories_of_a_split_are_not_read(tmp_path: Path):
    for part, row in zip(("train", "valid", "test"), ROWS_2023.splitlines(), strict=True):
        text = HEADER.replace("\n", ",history\n") + row + ",B000000001 B000000002\n"
        put(tmp_path, f"Video_Games.{part}.csv", text)
    assert sorted(decoded.timed(read(tmp_path, 2023))) == sorted(READ_2023)


def test_a_part_of_a_split_alone_is_refused(tmp_path: Path):
    for part in ("train", "test"):
        put(tmp_path, f"Video_Games.{part}.csv.gz", HEADER + ROWS_2023)
    with pytest.raises(InputError, match=r"has no file of reviews that ends in \.valid\.csv; get all three"):
        read(tmp_path, 2023)
    put(tmp_path, "Video_Games.csv.gz", HEADER + ROWS_2023)
    with pytest.raises(
        InputError, match=r"csv\.gz and .*csv\.gz are two files of reviews; .* whole or split"
    ):
        read(tmp_path, 2023)


def test_two_splits_are_refused(tmp_path: Path):
    for folder in ("last_out", "timestamp"):
        for part in ("train", "valid", "test"):
            put(tmp_path, f"{folder}/Video_Games.{part}.csv", HEADER + ROWS_2023)
    with pytest.raises(InputError, match="are two files of reviews"):
        read(tmp_path, 2023)


def test_the_given_split_asks_for_the_rows_of_test(tmp_path: Path):
    user = "AGKASBHYZPGTEPO6LWZPVJWB2BVA"
    parts = {"train": (0, 1, 2), "valid": (3,), "test": (4,)}
    for part, numbers in parts.items():
        rows = "".join(f"{user},B00000000{number},5.0,{1_628_643_414_042 + number}\n" for number in numbers)
        rows += (
            "" if part != "train" else ROWS_2023.splitlines()[2].replace("B07SRWRH5D", "B000000003") + "\n"
        )
        rows += (
            "" if part != "valid" else ROWS_2023.splitlines()[2].replace("B07SRWRH5D", "B000000004") + "\n"
        )
        put(tmp_path / "amazon-2023", f"Video_Games.{part}.csv", HEADER + rows)
    data = load("amazon-2023", tmp_path, protocol="given")
    assert [data.user_ids[each] for each in data.test.user] == [user]
    assert data.item_ids[data.test.relevant[0]].tolist() == ["B000000004"]
    assert data.item_ids[data.test.history[0]].tolist() == [f"B00000000{number}" for number in range(4)]
