"""Steam's reviews in their official layout: lines of Python 2, days, users by name."""

from __future__ import annotations

import ast
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources import steam
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

REVIEWS = r"""
{u'username': u'Chaos Syren', u'hours': 0.1, u'products': 41, u'product_id': u'725280', u'page_order': 0, u'date': u'2017-12-17', u'text': u'This would not be "acceptable"', u'early_access': False, u'page': 1}
{u'username': u"\u2665 Ariman's \u2665", u'hours': 13.2, u'products': 1386, u'product_id': u'328100', u'page_order': 2, u'date': u'2017-08-02', u'text': u"I can't: {u'username': u'Eve', u'date': u'2001-01-01'}\nfree", u'early_access': True, u'page': 1, u'compensation': u'Product received for free'}
{u'user_id': u'76561198007483075', u'username': u'freakfantom', u'found_funny': 1, u'hours': 1.5, u'product_id': u'725280', u'date': u'2017-11-20', u'text': u''}
{u'username': u'\ud83d\ude00 \U0001f600', u'product_id': u'328100', u'date': u'2011-02-28', u'text': u'\\'}
{u'username': u'no day', u'product_id': u'1', u'text': u'x'}
{u'username': u'Chaos Syren', u'hours': 0.2, u'product_id': u'725280', u'date': u'2016-02-29'}
{u'product_id': u'2', u'date': u'2016-02-29'}
{u'username': u'', u'product_id': u'2', u'date': u'2016-02-29'}
{'username': 'New', 'product_id': '00328', 'date': '2016-02-29', 'hours': -1.5e-05, 'products': None}
{u'username': u'listed', u'more': [1, {u'a': (2,)}], u'product_id': u'328100', u'date': u'2016-03-01'}
"""[1:]  # noqa: E501
GAMES = r"""
{u'publisher': u'Kotoshiro', u'genres': [u'Action', u'RPG'], u'app_name': u"L'Kitty", u'tags': [u'Strategy', u'Action'], u'price': u'Free To Play', u'early_access': False, u'id': u'725280', u'sentiment': u'Mostly Positive', u'metascore': 96}
{u'tags': [u'Indie'], u'id': u'328100', u'price': 4.99}
{u'genres': [u'Casual'], u'app_name': u'of no id'}
{u'genres': [u'Casual'], u'id': u'9'}
"""[1:]  # noqa: E501


def put(folder: Path, reviews: str = REVIEWS, games: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "steam_reviews.json.gz").write_bytes(gzip.compress(reviews.encode()))
    if games is not None:
        (folder / "steam_games.json.gz").write_bytes(gzip.compress(games.encode()))
    return folder


def read(folder: Path) -> Log:
    return steam.load(folder).log()


def day(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_reviews(tmp_path: Path):
    log = read(put(tmp_path))
    assert decoded.timed(log) == [
        ("Chaos Syren", "725280", day("2017-12-17")),
        ("\u2665 Ariman's \u2665", "328100", day("2017-08-02")),
        ("freakfantom", "725280", day("2017-11-20")),
        ("\U0001f600 \U0001f600", "328100", day("2011-02-28")),
        ("Chaos Syren", "725280", day("2016-02-29")),
        ("New", "00328", day("2016-02-29")),
        ("listed", "328100", day("2016-03-01")),
    ]
    assert log.reading is not None
    assert (log.reading.rows, log.reading.dropped) == (10, {"without a user, a game or a day": 3})
    assert log.item_features is None


@pytest.mark.parametrize("rows", [3, 1 << 17])
def test_reviews_of_a_page_that_was_fetched_again_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
):
    monkeypatch.setattr(steam, "ROWS", rows)
    log = read(put(tmp_path, REVIEWS * 2 + REVIEWS.replace("2016-02-29", "2016-03-29")))
    assert len(log.user) == 7 + 2
    assert log.reading is not None and log.reading.rows == 30
    assert log.reading.dropped == {
        "without a user, a game or a day": 9,
        "of the user, the game and the day of another": 12,
    }


def test_chunks_are_of_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    expected = decoded.timed(read(put(tmp_path)))
    monkeypatch.setattr(steam, "ROWS", 2)
    log = read(tmp_path)
    assert decoded.timed(log) == expected
    assert log.reading is not None and log.reading.rows == 10


def test_games_have_genres_and_tags(tmp_path: Path):
    log = read(put(tmp_path, games=GAMES))
    assert log.item_features is not None and set(log.item_features.columns) == {"genres", "tags"}
    genres = decoded.values(log.item_features, "genres", log.item_ids)
    assert genres == {"725280": ["Action", "RPG"], "328100": [], "00328": []}
    tags = decoded.values(log.item_features, "tags", log.item_ids)
    assert tags == {"725280": ["Strategy", "Action"], "328100": ["Indie"], "00328": []}


@pytest.mark.parametrize("line", REVIEWS.splitlines())
def test_the_fast_way_reads_what_python_does(line: str):
    whole = ast.literal_eval(line)
    fields = {name: whole[name] for name in steam.FIELDS if name in whole}
    found = steam.parse(line.encode())
    assert found == whole if "[" in line else found == fields


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{u'username': u'a', ", "no Python object"),
        ("{u'username': u'a' u'date': u'2016-02-29'}", "no Python object"),
        ("(u'username': u'a', u'date': u'2016-02-29'}", "no Python object"),
        ("{u'username': u'a', u'hours': f(1)}", "no Python object"),
        ("[u'username', u'date']", "no Python object"),
        ('{"username": "a", "early_access": false}', "no Python object"),
        ("{u'username': u'a', u'product_id': 5}", "'product_id' is 5"),
        ("{u'username': u'a', u'date': u'2016-02-30'}", "2016-02-30 is no day"),
        ("{u'username': u'a', u'date': u'Posted: May 3'}", "Posted: May 3 is no day"),
    ],
)
def test_broken_lines(tmp_path: Path, line: str, message: str):
    with pytest.raises(InputError, match=rf"steam_reviews\.json\.gz, line 11: {message}"):
        read(put(tmp_path, f"{REVIEWS}{line}\n"))


@pytest.mark.parametrize(
    "line",
    ["{u'id': u'1', u'genres': u'RPG'}", "{u'id': u'1', u'genres': [0]}", "{u'id': u'1', u'genres': 0}"],
)
def test_broken_games(tmp_path: Path, line: str):
    with pytest.raises(InputError, match=r"steam_games\.json\.gz, line 5: 'genres' is"):
        read(put(tmp_path, games=f"{GAMES}{line}\n"))


def test_by_name(tmp_path: Path):
    reviews = "".join(
        f"{{u'username': u'{user}', u'product_id': u'{number % 5}', u'date': u'2016-01-{number:02}'}}\n"
        for user in "ab"
        for number in range(1, 31)
    )
    put(tmp_path / "steam", reviews)
    data = load("steam", tmp_path, exclude_seen=False)
    assert (data.protocol, len(data.test)) == ("time", 2)
    assert "60 interactions, not the published 7,793,069" in data.notes
    with pytest.raises(
        InputError, match=r"get steam_reviews\.json\.gz and, for genres and tags, steam_games"
    ):
        load("steam", tmp_path / "elsewhere")
