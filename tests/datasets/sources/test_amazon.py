"""Amazon's reviews in their official layouts: three years, told apart by content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.sources import amazon
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded
from tests.datasets.sources.amazon_files import HEADER, READ_2023, ROWS_2014, ROWS_2018, ROWS_2023, put, read


def objects(year: int) -> str:
    def line(user: str, item: str, stars: float, time: int, own: dict[str, Any]) -> str:
        found = {
            "overall": stars,
            "reviewerID": user,
            "asin": item,
            "reviewerName": 'Al "the"',
            "summary": "s",
        }
        return json.dumps(
            found | {"reviewText": "a\nb", "unixReviewTime": time, "reviewTime": "10 17, 2015"} | own
        )

    own: dict[int, list[dict[str, Any]]] = {
        2014: [{"helpful": [8, 12]}, {"helpful": [0, 0]}],
        2018: [{"verified": True, "style": {"Format:": " PC"}}, {"verified": False, "vote": "1,024"}],
    }
    first, second = own[year]
    return (
        line("A1HP7NVNPFMA4N", "0700026657", 5.0, 1445040000, first)
        + "\n"
        + line("A1JGAP0185YJI6", "0700026657", 2, 1437955200, second)
        + "\n"
    )


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("ratings_CDs_and_Vinyl.csv", "cds-and-vinyl"),
        ("ratings_Books.csv.gz", "books"),
        ("down/ratings_Grocery_and_Gourmet_Food.csv", "grocery-and-gourmet-food"),
    ],
)
def test_2014(tmp_path: Path, name: str, category: str):
    log = read(put(tmp_path, name, ROWS_2014), 2014)
    assert log.name == f"amazon-2014-{category}"
    assert decoded.timed(log) == [
        ("AH2L9G3DQHHAJ", "0000000116", 1019865600),
        ("A2IIIDRK3PRRZY", "0000000116", 1395619200),
        ("A1TADCM7YWPQ8M", "0000000868", 1031702400),
        ("A00000262KYZUE4J55XGL", "B00DQFZGZ0", 1390003200),
        ("AWGH7V0BDOJKB", "000013714X", 1383177600),
        ("A2IIIDRK3PRRZY", "0000000116", 1395619200),
    ]
    assert log.rating is not None and log.rating.tolist() == [4, 1, 4, 5, 4, 5]
    assert log.nanoseconds is None and log.reading is not None
    assert (log.reading.rows, log.reading.times) == (6, "seconds since 1970")


def test_2018_has_the_item_first(tmp_path: Path):
    log = read(put(tmp_path, "Video_Games.csv", ROWS_2018), 2018)
    assert log.name == "amazon-2018-video-games"
    assert decoded.timed(log) == [
        ("A1HP7NVNPFMA4N", "A000000000", 1437436800),
        ("A1C6M8LCIX4M6M", "0001713353", 1123804800),
        ("A1REUF3A1YCPHM", "0001713353", 1112140800),
        ("A1HP7NVNPFMA4N", "B00000JRSB", 1437436800),
    ]
    assert log.rating is not None and log.rating.tolist() == [5, 5, 1, 3]


@pytest.mark.parametrize(
    ("year", "name"), [(2014, "reviews_Video_Games_5.json.gz"), (2018, "Video_Games_5.json.gz")]
)
def test_the_5_core_of_objects(tmp_path: Path, year: int, name: str):
    log = read(put(tmp_path, name, objects(year)), year)
    assert log.name == f"amazon-{year}-video-games-5core"
    assert decoded.timed(log) == [
        ("A1HP7NVNPFMA4N", "0700026657", 1445040000),
        ("A1JGAP0185YJI6", "0700026657", 1437955200),
    ]
    assert log.rating is not None and log.rating.tolist() == [5, 2]
    with pytest.raises(InputError, match=f"is of Amazon's reviews of {year}"):
        read(tmp_path, 4032 - year)


@pytest.mark.parametrize("header", [HEADER, "", "\ufeff" + HEADER, HEADER.replace("\n", "\r\n")])
@pytest.mark.parametrize(
    "name", ["Video_Games.csv.gz", "Video_Games.csv", "0core/rating_only/Video_Games.csv"]
)
def test_2023_with_its_header_and_without(tmp_path: Path, header: str, name: str):
    log = read(put(tmp_path, name, header + ROWS_2023), 2023)
    assert log.name == "amazon-2023-video-games"
    assert decoded.timed(log) == READ_2023
    assert log.nanoseconds is not None and log.nanoseconds.tolist() == [42_000_000, 837_000_000, 0]
    assert log.rating is not None and log.rating.tolist() == [5, 4, 1]


def test_the_5_core_of_2023_is_told_by_its_folder(tmp_path: Path):
    log = read(put(tmp_path, "5core/rating_only/Video_Games.csv.gz", HEADER + ROWS_2023), 2023)
    assert log.name == "amazon-2023-video-games-5core"


@pytest.mark.parametrize(("year", "text"), [(2014, ROWS_2014), (2018, ROWS_2018), (2023, ROWS_2023)])
def test_a_file_of_another_year_is_refused(tmp_path: Path, year: int, text: str):
    put(tmp_path / "x", "Video_Games.csv", text)
    for other in {2014, 2018, 2023} - {year}:
        with pytest.raises(InputError, match=rf"is of Amazon's reviews of {year}; .* give amazon-{year}$"):
            read(tmp_path / "x", other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        HEADER,
        HEADER + ROWS_2014,
        "user,item,rating,timestamp\n1,2,3,4\n",
        "17,23,4.0,1019865600\n",
        "A2IIIDRK3PRRZY,A2IIIDRK3PRRZY,4.0,1019865600\n",
        "0001713353,0001713353,4.0,1019865600\n",
        "B00000JRSB,A1HP7NVNPFMA4N,3.0,1628643414042\n",
        ROWS_2014 + ROWS_2018,
        ROWS_2014 + ROWS_2023,
        "A2IIIDRK3PRRZY\t0000000116\t1.0\t1395619200\n",
    ],
)
@pytest.mark.parametrize("year", [2014, 2018, 2023])
def test_other_forms_are_refused(tmp_path: Path, text: str, year: int):
    with pytest.raises(InputError, match="has the form of no year of Amazon's reviews"):
        read(put(tmp_path, "Video_Games.csv", text), year)


@pytest.mark.parametrize("fields", [("helpful", "verified"), ()])
def test_objects_of_both_years_or_neither_are_refused(tmp_path: Path, fields: tuple[str, ...]):
    text = json.dumps({"reviewerID": "A1HP7NVNPFMA4N", "asin": "0700026657", **dict.fromkeys(fields, 1)})
    with pytest.raises(InputError, match="has the form of no year of Amazon's reviews"):
        read(put(tmp_path, "Video_Games_5.json", text), 2018)


@pytest.mark.parametrize(
    ("text", "year", "message"),
    [
        (ROWS_2014 + "A1,B000000001,x,1395619200\n", 2014, "line 7: 'x' in column 'rating' is not a number"),
        (ROWS_2014 + "A1,B000000001,,1395619200\n", 2014, "row 7: 'rating' is missing"),
        (ROWS_2018 + "B000000001,,1.0,1395619200\n", 2018, "row 5: 'user' is missing"),
        (ROWS_2014 + "A1,B000000001,1.0\n", 2014, "line 7: 3 fields where there should be 4"),
        (HEADER + ROWS_2023 + "A1,B0,1.0,\n", 2023, "line 5: '' in column 'timestamp' is not a number"),
        (
            ROWS_2023 + "A1,B000000001,1.0,2021\n",
            2023,
            "row 4: the time 2021 is not in milliseconds, as others are",
        ),
        (
            ROWS_2014 + "A1,B000000001,1.0,1628643414042\n",
            2014,
            "row 7: the time 1628643414042 is not in seconds",
        ),
    ],
)
def test_broken_rows(tmp_path: Path, text: str, year: int, message: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(amazon, "SAMPLE_BYTES", len(text) - 10)
    with pytest.raises(InputError, match=rf"Video_Games\.csv, {message}"):
        read(put(tmp_path, "Video_Games.csv", text), year)


def test_an_object_without_a_time(tmp_path: Path):
    text = objects(2018) + '{"reviewerID": "A1HP7NVNPFMA4N", "asin": "0700026657", "overall": 5.0}\n'
    with pytest.raises(InputError, match=r"Video_Games_5\.json\.gz, row 3: 'unixReviewTime' is missing"):
        read(put(tmp_path, "Video_Games_5.json.gz", text), 2018)


def test_one_category_a_folder(tmp_path: Path):
    put(tmp_path, "Video_Games.csv.gz", HEADER + ROWS_2023)
    put(tmp_path, "meta_Video_Games.json.gz", "{'asin': '0001713353'}")
    put(tmp_path, "Video_Games.csv", HEADER + ROWS_2023)
    assert decoded.timed(read(tmp_path, 2023)) == READ_2023
    put(tmp_path, "Books.csv", HEADER + ROWS_2023)
    with pytest.raises(InputError, match=r"Books\.csv and .*Video_Games\.csv are two files of reviews"):
        read(tmp_path, 2023)


def lines(users: int = 2) -> str:
    return "".join(
        f"AGKASBHYZPGTEPO6LWZPVJWB2BV{user},B07SRWRH5{number % 5},1.0,{1_600_000 + number * 86}000000\n"
        for user in range(users)
        for number in range(30)
    )


def test_by_name_of_the_year_with_a_board_of_the_category(tmp_path: Path):
    put(tmp_path / "amazon-2023", "Video_Games.csv", HEADER + lines())
    data = load("amazon-2023", tmp_path, exclude_seen=False, fallback=False)
    assert (data.name, data.protocol, len(data.test)) == ("amazon-2023-video-games", "time", 2)
    assert data.source["dataset"] == "amazon-2023", "by which it is loaded again"
    assert "2 users, not the published 2,766,656" in data.notes
    assert "60 interactions, not the published 4,555,500" in data.notes


def test_ones_own_file_does_not_take_the_name_of_a_category(tmp_path: Path):
    put(tmp_path, "amazon-2023-video-games.csv", HEADER + lines())
    data = load(str(tmp_path / "amazon-2023-video-games.csv"), tmp_path, exclude_seen=False)
    assert data.name == "amazon-2023-video-games-own"


def test_categories_without_published_counts_are_not_compared(tmp_path: Path):
    put(tmp_path / "amazon-2023", "5core/Video_Games.csv", HEADER + lines())
    assert not any("published" in note for note in load("amazon-2023", tmp_path, exclude_seen=False).notes)


def test_the_published_counts_are_of_names_that_files_have():
    files = ("Books", "Baby_Products", "Beauty_and_Personal_Care", "Toys_and_Games", "Video_Games")
    files = (*files, "Sports_and_Outdoors", "Digital_Music", "Clothing_Shoes_and_Jewelry")
    names = {"amazon-2023-" + each.lower().replace("_", "-") for each in files}
    assert set(SOURCES["amazon-2023"].counts) == names


def test_what_is_not_here(tmp_path: Path):
    with pytest.raises(InputError, match=r"get ratings_….csv of a category from https://snap\.stanford\.edu"):
        load("amazon-2014", tmp_path)
