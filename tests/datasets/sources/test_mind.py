"""MIND in its official layout: folders and zips, histories, labels, quotes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.log import TEST, TRAIN, Log
from retrieval_leaderboard.datasets.sources import mind
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

TRAIN_LINES = [
    '1\tU1\t11/11/2019 9:05:58 AM\tN9 N8\tN1-1 N2-0 N3-1',
    '2\tU2\t11/12/2019 12:00:01 AM\t\tN2-0 N1-0',
    '3\tU1\t11/14/2019 12:30:00 PM\tN9 N8\tN4-1 N2-0',
    '4\tU2\t11/14/2019 11:59:59 PM\t\tN3-1 N7-0 N6-0',
]  # fmt: skip
DEV_LINES = [
    '1\tU1\t11/15/2019 12:00:00 AM\tN9 N8\tN2-1 N5-0',
    '2\tU3\t11/15/2019 8:00:00 AM\tN1 N9 N3\tN5-1 N7-1',
]  # fmt: skip
NEWS = {
    "N1": "sports\tsoccer",
    "N2": "news\tnewsus",
    "N3": "sports\tgolf",
    "N4": "tv\ttvnews",
    "N8": "news\tnewsus",
    "N9": "travel\ttravelnews",
}
ENTITIES = '[{"Label": "A ""B""", "Type": "P", "WikidataId": "Q1", "Confidence": 1.0}]\t[]'


def news(listed: list[str]) -> str:
    about = {
        each: f'{NEWS.get(each, "video	animals")}\t"He said no\tAn "abstract, 5" long\thttps://a.b/c\t{ENTITIES}'
        for each in listed
    }
    return "".join(f"{each}\t{line}\n" for each, line in about.items())


def files(train: list[str], dev: list[str]) -> dict[str, dict[str, str]]:
    return {
        "MINDsmall_train": {
            "behaviors.tsv": "\n".join(train) + "\n",
            "news.tsv": news(["N1", "N2", "N3", "N4", "N6", "N8", "N9"]),
        },
        "MINDsmall_dev": {"behaviors.tsv": "\n".join(dev) + "\n", "news.tsv": news(["N1", "N2", "N5", "N7"])},
    }


def unpacked(folder: Path, parts: dict[str, dict[str, str]], inside: str = "") -> Path:
    for part, contents in parts.items():
        (folder / part / inside.format(part)).mkdir(parents=True)
        for name, content in contents.items():
            (folder / part / inside.format(part) / name).write_text(content)
    return folder


def packed(folder: Path, parts: dict[str, dict[str, str]], inside: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    for part, contents in parts.items():
        with zipfile.ZipFile(folder / f"{part}.zip", "w") as archive:
            for name, content in contents.items():
                archive.writestr(f"{inside.format(part)}{name}", content)
    return folder


def read(folder: Path) -> Log:
    assert mind.holds(folder, "small")
    return mind.load(folder, "small").log()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


BEGIN = at("2019-11-11T09:05:58")
LAYOUTS: dict[str, Callable] = {
    "folders": unpacked,
    "folders in folders": partial(unpacked, inside="{}"),
    "zips": packed,
    "zips with a folder": partial(packed, inside="{}/"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_clicks_of_every_layout(tmp_path: Path, layout: str):
    log = read(LAYOUTS[layout](tmp_path / "it", files(TRAIN_LINES, DEV_LINES)))
    assert sorted(decoded.timed(log), key=lambda row: (row[0], row[2], row[1])) == [
        *[("U1", "N9", BEGIN - 2), ("U1", "N8", BEGIN - 1), ("U1", "N1", BEGIN), ("U1", "N3", BEGIN)],
        *[("U1", "N4", at("2019-11-14T12:30:00")), ("U1", "N2", at("2019-11-15T00:00:00"))],
        ("U2", "N3", at("2019-11-14T23:59:59")),
        *[("U3", "N1", BEGIN - 3), ("U3", "N9", BEGIN - 2), ("U3", "N3", BEGIN - 1)],
        *[("U3", "N5", at("2019-11-15T08:00:00")), ("U3", "N7", at("2019-11-15T08:00:00"))],
    ]
    assert sorted(decoded.pairs(log, TEST)) == [("U1", "N2"), ("U3", "N5"), ("U3", "N7")]
    assert len(decoded.pairs(log, TRAIN)) == 9


def test_news_are_described_by_both_parts_whatever_they_quote(tmp_path: Path):
    log = read(unpacked(tmp_path, files(TRAIN_LINES, DEV_LINES)))
    found = decoded.values(log.item_features, "category", log.item_ids)
    assert found == {each: NEWS.get(each, "video\tanimals").split("\t")[0] for each in log.item_ids}
    found = decoded.values(log.item_features, "subcategory", log.item_ids)
    assert found["N5"] == "animals" and found["N8"] == "newsus"


def test_what_was_shown_in_training_is_listed(tmp_path: Path):
    log = read(unpacked(tmp_path, files(TRAIN_LINES, DEV_LINES)))
    assert log.listed is not None
    assert log.item_ids[log.listed].tolist() == ["N1", "N2", "N3", "N4", "N6", "N7"]
    assert log.periods == (at("2019-11-14T00:00:00"), at("2019-11-15T00:00:00"))
    assert log.reading is not None
    assert log.reading.dropped == {"shown and not clicked": 7}
    assert log.reading.rows == len(log.user) + 7


def test_the_published_split_asks_for_the_clicks_of_dev(tmp_path: Path):
    unpacked(tmp_path / "mind-small", files(TRAIN_LINES, DEV_LINES))
    data = load("mind-small", tmp_path)
    assert data.protocol == "published"
    asked = {
        data.user_ids[user]: sorted(data.item_ids[data.test.relevant[row]])
        for row, user in enumerate(data.test.user)
    }
    assert asked == {"U1": ["N2"], "U3": ["N5", "N7"]}
    history = {
        data.user_ids[user]: data.item_ids[data.test.history[row]].tolist()
        for row, user in enumerate(data.test.user)
    }
    assert history == {"U1": ["N9", "N8", "N1", "N3", "N4"], "U3": ["N1", "N9", "N3"]}


def test_in_time_only_news_that_were_out_before_are_candidates(tmp_path: Path):
    unpacked(tmp_path / "mind-small", files(TRAIN_LINES, DEV_LINES))
    data = load("mind-small", tmp_path, protocol="time")
    assert data.item_ids.tolist() == ["N1", "N2", "N3", "N4", "N6", "N7", "N8", "N9"]  # N5 comes up in dev.
    asked = {
        data.user_ids[user]: data.item_ids[data.test.relevant[row]].tolist()
        for row, user in enumerate(data.test.user)
    }
    assert asked == {"U1": ["N2"], "U3": ["N7"]}
    asked = {
        data.user_ids[user]: data.item_ids[data.valid.relevant[row]].tolist()
        for row, user in enumerate(data.valid.user)
    }
    assert asked == {"U1": ["N4"], "U2": ["N3"]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("5\tU1\t11/13/2019 8:00:00 AM\tN9\tN1 N2", "row 5: 'N1' has no label, as in MIND's test part"),
        ("5\t\t11/13/2019 8:00:00 AM\tN9\tN1-1 N2-0", "row 5: 'user' is missing"),
        ("5\tU1\t2019-11-13 08:00:00\tN9\tN1-1", "row 5: 2019-11-13 08:00:00 is no time"),
        ("5\tU1\t11/13/2019 8:00:00 AM\tN1-1", "line 5: 4 fields where there should be 5"),
    ],
)
def test_other_lines_are_refused(tmp_path: Path, line: str, message: str):
    with pytest.raises(InputError, match=rf"behaviors\.tsv, {message}"):
        read(unpacked(tmp_path, files([*TRAIN_LINES, line], DEV_LINES)))


def test_a_size_without_a_part_is_not_held(tmp_path: Path):
    parts = files(TRAIN_LINES, DEV_LINES)
    assert not mind.holds(unpacked(tmp_path, {"MINDsmall_train": parts["MINDsmall_train"]}), "small")
    with pytest.raises(InputError, match=r"has no behaviors\.tsv of MINDsmall_dev"):
        mind.load(tmp_path, "small")
