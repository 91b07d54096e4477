"""The Yelp Open Dataset in its official layouts: tar in zip, quirks of its releases."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources import archives, json_lines, yelp
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

U1, U2, B1, B2, B3 = (
    "mh_-eMZ6K5RLWhZyISBhwA",
    "OyoGAe7OKpv6SyGZT5g77Q",
    "XQfwVwDr-v0ZS3_CbbE5Xw",
    "0001",
    "-b3",
)


def review(user: str, business: str, stars: float, date: str, **more: Any) -> dict[str, Any]:
    return {
        "review_id": "KU_O5udG6zpxOg-VcAEodg", "user_id": user, "business_id": business, "stars": stars,
        "useful": 0, "funny": 0, "cool": 0, "text": 'A "fine" place\nof \u00e9clairs, {[', "date": date,
        **more,
    }  # fmt: skip


REVIEWS = [
    review(U1, B1, 4.0, "2018-07-07 22:09:11"),
    review(U2, B1, 3.0, "2012-01-03 15:28:18"),
    review(U2, B2, 5.0, "2005-02-16 00:00:00"),
    review(U1, B1, 5.0, "2019-07-07 22:09:12"),
    review(U1, B3, 1.0, "2020-01-01 00:00:01"),
]
INTERACTIONS = [
    (U1, B1, "2018-07-07T22:09:11"),
    (U2, B2, "2005-02-16T00:00:00"),
    (U1, B1, "2019-07-07T22:09:12"),
]


def business(listed: str, categories: Any, city: str = "Santa Barbara", state: str = "CA") -> dict[str, Any]:
    return {
        "business_id": listed, "name": "Abby", "address": "1616 Chapala St", "city": city, "state": state,
        "postal_code": "93101", "latitude": 34.4, "longitude": -119.7, "stars": 5.0, "review_count": 7,
        "is_open": 0, "attributes": {"WiFi": "u'free'", "BusinessParking": "{'garage': False}"},
        "categories": categories, "hours": None,
    }  # fmt: skip


BUSINESSES = [
    business(B1, "Doctors, Health & Medical,  Doctors"),
    business("not reviewed", "Shipping Centers, Notaries", "Affton", "MO"),
    business(B2, None, "", "PA"),
]
USERS = [
    {"user_id": U1, "name": "Walker", "review_count": 585, "yelping_since": "2007-01-25 16:47:26",
     "useful": 7217, "elite": "2007", "friends": ", ".join([U2] * 5), "fans": 267, "average_stars": 3.91},
    {"user_id": "without a review", "yelping_since": "2009-01-25 04:35:42", "friends": "None"},
]  # fmt: skip


def lines(objects: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in objects).encode()


def files(
    reviews: list[dict[str, Any]] = REVIEWS, prefix: str = "yelp_academic_dataset_"
) -> dict[str, bytes]:
    """In the order of the official tar."""
    return {
        "Dataset_User_Agreement.pdf": b"%PDF",
        f"{prefix}business.json": lines(BUSINESSES),
        f"{prefix}review.json": lines(reviews),
        f"{prefix}tip.json": b"{}\n",
        f"{prefix}user.json": lines(USERS),
    }


def tarred(path: Path, contents: dict[str, bytes], mode: Any = "w", folder: str = "") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in contents.items():
            for each, inside in ((f"{folder}._{name}", b"\0mac"), (folder + name, content)):
                info = tarfile.TarInfo(each)
                info.size = len(inside)
                archive.addfile(info, io.BytesIO(inside))
    return path.parent


def zipped(folder: Path, contents: dict[str, bytes]) -> Path:
    tarred(folder / "packed", contents)
    with zipfile.ZipFile(folder / "Yelp-JSON.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "packed", "Yelp JSON/yelp_dataset.tar")
        archive.writestr("__MACOSX/Yelp JSON/._yelp_dataset.tar", b"\0")
    (folder / "packed").unlink()
    return folder


def unpacked(folder: Path, contents: dict[str, bytes]) -> Path:
    (folder / "Yelp JSON").mkdir()
    for name, content in contents.items():
        (folder / "Yelp JSON" / name).write_bytes(content)
    return folder


def of_kaggle(folder: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return folder


LAYOUTS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "tar in zip": zipped,
    "tar": lambda folder, contents: tarred(folder / "yelp_dataset.tar", contents),
    "tgz": lambda folder, contents: tarred(folder / "yelp_dataset.tgz", contents, "w:gz", "dataset/"),
    "tar.gz": lambda folder, contents: tarred(folder / "yelp_dataset.tar.gz", contents, "w:gz"),
    "unpacked": unpacked,
    "zip": of_kaggle,
}


def read(folder: Path) -> Log:
    assert yelp.holds(folder)
    return yelp.load(folder).log()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("prefix", ["yelp_academic_dataset_", ""])
def test_every_layout_gives_the_liked_reviews_and_what_is_said_of_them(
    tmp_path: Path, layout: str, prefix: str
):
    log = read(LAYOUTS[layout](tmp_path, files(prefix=prefix)))
    assert decoded.timed(log) == [(user, item, at(time)) for user, item, time in INTERACTIONS]
    assert log.reading is not None
    assert (log.reading.rows, log.reading.dropped) == (5, {"fewer than 4 stars": 2})
    assert decoded.values(log.item_features, "city", log.item_ids) == {B1: "Santa Barbara", B2: "unknown"}
    assert decoded.values(log.item_features, "state", log.item_ids) == {B1: "CA", B2: "PA"}
    found = decoded.values(log.item_features, "categories", log.item_ids)
    assert found == {B1: ["Doctors", "Health & Medical", "Doctors"], B2: []}
    found = decoded.values(log.user_features, "yelping_since", log.user_ids)
    assert found == {U1: "2007", U2: "unknown"}


def test_the_number_of_reviews_tells_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = unpacked(tmp_path, files())
    assert read(folder).notes == ("5 reviews of all stars, as in no release that is known here",)
    monkeypatch.setitem(yelp.RELEASES, 5, 2019)
    assert read(folder).notes == ("5 reviews of all stars, as in the release of 2019",)


def test_what_is_counted_over_all_time_is_no_feature(tmp_path: Path):
    log = read(zipped(tmp_path, files()))
    assert log.user_features is not None and log.item_features is not None
    assert set(log.user_features.columns) == {"yelping_since"}
    assert set(log.item_features.columns) == {"city", "state", "categories"}


def test_archives_are_read_where_they_lie(tmp_path: Path):
    read(zipped(tmp_path, files()))
    assert [path.name for path in tmp_path.rglob("*")] == ["Yelp-JSON.zip"]


def test_an_old_release_has_lists_of_categories_and_days(tmp_path: Path):
    old = review(U1, B1, 5, "2011-01-26", type="review", votes={"funny": 0, "useful": 5, "cool": 2})
    described = business(B1, ["Fast Food", "Restaurants"]) | {"type": "business", "open": True}
    contents = files([old]) | {"yelp_academic_dataset_business.json": lines([described])}
    log = read(unpacked(tmp_path, contents))
    assert decoded.timed(log) == [(U1, B1, at("2011-01-26"))]
    assert decoded.values(log.item_features, "categories", log.item_ids) == {B1: ["Fast Food", "Restaurants"]}


def test_reviews_alone(tmp_path: Path):
    (tmp_path / "yelp_academic_dataset_review.json").write_bytes(lines(REVIEWS))
    log = read(tmp_path)
    assert len(log.user) == 3
    assert log.user_features is None and log.item_features is None


def test_lines_longer_than_a_block_and_half_a_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    expected = decoded.timed(read(tarred(tmp_path / "yelp_dataset.tar", files())))
    monkeypatch.setattr(json_lines, "BLOCK_BYTES", 50)
    assert decoded.timed(read(tmp_path)) == expected
    (tmp_path / "yelp_dataset.tar").unlink()
    odd = [*REVIEWS[:2], REVIEWS[2] | {"text": "\ud83d"}, *REVIEWS[3:]]
    assert b"\\ud83d" in lines(odd)
    assert decoded.timed(read(zipped(tmp_path, files(odd)))) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (review("", B1, 4.0, "2018-07-07 22:09"), "row 6: 2018-07-07 22:09 is no time"),
        (review(U1, B1, 4.0, "2018-07-07"), "row 6: 2018-07-07 is no time"),
        (review(U1, B1, 4.0, "2018-02-30 00:00:00"), "row 6: 2018-02-30 00:00:00 is no time"),
        ({"business_id": B1, "stars": 1.0, "date": "2018-07-07 22:09:11"}, "row 6: 'user_id' is missing"),
        ({"user_id": U1, "business_id": B1, "date": "2018-07-07 22:09:11"}, "row 6: 'stars' is missing"),
        (review(U1, B1, 4.0, "2018-07-07 22:09:11") | {"user_id": 5}, "line 6: 'user_id' is 5, not string"),
        (
            review(U1, B1, 4.0, "2018-07-07 22:09:11") | {"stars": "4"},
            "line 6: 'stars' is '4', not double",
        ),
    ],
)
def test_broken_reviews(tmp_path: Path, line: dict[str, Any], message: str):
    with pytest.raises(InputError, match=rf"yelp_dataset\.tar:yelp_academic_dataset_review\.json, {message}"):
        read(zipped(tmp_path, files([*REVIEWS, line])))


@pytest.mark.parametrize("broken", [b'{"user_id": "a", \n', b"[1]\n", b'{"user_id": "\xff"}\n'])
def test_lines_that_are_no_json(tmp_path: Path, broken: bytes):
    (tmp_path / "review.json").write_bytes(lines(REVIEWS[:2]) + broken + lines(REVIEWS))
    with pytest.raises(InputError, match=r"review\.json, line 3: no JSON object"):
        read(tmp_path)


def test_categories_of_another_kind(tmp_path: Path):
    contents = files() | {"yelp_academic_dataset_business.json": lines([BUSINESSES[1], business(B1, 5)])}
    with pytest.raises(InputError, match=r"business\.json, line 2: 'categories' is 5"):
        read(unpacked(tmp_path, contents))


def test_damaged_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "yelp_dataset.tar"
    tarred(path, {"Dataset_User_Agreement.pdf": b"", "photos.json": b"{}\n"})
    with pytest.raises(InputError, match=r"tar has no yelp_academic_dataset_review\.json or review\.json"):
        read(tmp_path)
    tarred(path, files(REVIEWS * 200))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"yelp_dataset\.tar:\S+review\.json cannot be read"):
        read(tmp_path)
    path.write_bytes(b"no tar" * 1000)
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path)
    path.unlink()
    monkeypatch.setattr(archives, "SMALL_BYTES", 0)
    tarred(tmp_path / "yelp_dataset.tgz", {"review.json": b" " * (1 << 20)}, "w:gz")
    with pytest.raises(InputError, match="more than 250 times its own size"):
        read(tmp_path)


def test_by_name(tmp_path: Path):
    (tmp_path / "yelp").mkdir()
    reviews = [
        review(user, f"b{number % 7}", 5.0, f"20{10 + number // 3:02}-01-0{1 + number % 3} 00:00:00")
        for user in (U1, U2)
        for number in range(30)
    ]
    zipped(tmp_path / "yelp", files(reviews))
    data = load("yelp", tmp_path, protocol="time", exclude_seen=False)
    assert (data.name, data.protocol, len(data.test)) == ("yelp", "time", 2)
    with pytest.raises(InputError, match=r"get Yelp-JSON\.zip from https://business\.yelp\.com"):
        load("yelp", tmp_path / "elsewhere")
