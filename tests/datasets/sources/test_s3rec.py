"""S3-Rec's sequences: small files by hand, and the published counts of the real ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources import s3rec
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

NAMES = ("s3rec-beauty", "s3rec-sports", "s3rec-toys")


def read(folder: Path, sequences: str, attributes: str) -> Log:
    (folder / "Beauty.txt").write_text(sequences)
    (folder / "Beauty_item2attributes.json").write_text(attributes)
    return s3rec.load(folder, "s3rec-beauty", "Beauty").log()


def test_places_stand_for_times(tmp_path: Path):
    log = read(tmp_path, "1 7 3 10\n2 10 2\n3 3 7 2 1\n", '{"3": [5, 4], "10": [4], "99": [8]}')
    assert decoded.timed(log) == [
        *[("1", "7", 0), ("1", "3", 1), ("1", "10", 2)],
        *[("2", "10", 0), ("2", "2", 1)],
        *[("3", "3", 0), ("3", "7", 1), ("3", "2", 2), ("3", "1", 3)],
    ]
    assert log.item_ids.tolist() == ["1", "2", "3", "7", "10"]
    attributes = decoded.values(log.item_features, "attributes", log.item_ids)
    assert attributes == {"1": [], "2": [], "3": ["5", "4"], "7": [], "10": ["4"]}


def test_the_last_item_is_asked_for_and_the_one_before_is_validation(tmp_path: Path):
    data = split(read(tmp_path, "1 7 3 10\n2 10 2\n3 3 7 2 1\n", "{}"), "leave-last-one", True, 0)
    asked = {data.user_ids[user]: data.test.relevant[row] for row, user in enumerate(data.test.user)}
    assert {user: data.item_ids[items].tolist() for user, items in asked.items()} == {"1": ["10"], "3": ["1"]}
    assert [data.item_ids[data.test.history[row]].tolist() for row in (0, 1)] == [["7", "3"], ["3", "7", "2"]]
    assert [data.item_ids[data.valid.relevant[row]].tolist() for row in (0, 1)] == [["3"], ["2"]]


@pytest.mark.parametrize(
    ("sequences", "attributes", "message"),
    [
        ("1 2 x\n", "{}", "Beauty.txt, line 1: 'x' is no id"),
        ("1 2 3\n", "{", "Beauty_item2attributes.json is no map from items to lists of codes"),
        ("1 2 3\n", '{"2": ["a"]}', "Beauty_item2attributes.json is no map from items to lists of codes"),
        ("1 2 3\n", "[1]", "Beauty_item2attributes.json is no map from items to lists of codes"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, sequences: str, attributes: str, message: str):
    with pytest.raises(InputError, match=message):
        read(tmp_path, sequences, attributes)


@pytest.mark.parametrize("name", NAMES)
def test_the_real_files_have_the_published_counts(data_dir: Path, name: str):
    if not SOURCES[name].holds(data_dir / "s3rec"):
        pytest.skip(f"{name} is not in {data_dir}")
    data = load(name, data_dir)
    assert data.notes == (f"{_cold(data)} test items without a training interaction",)
    assert data.profile is not None and data.profile.repeated == 0 and data.profile.tied == 0
    assert data.profile.first == "0"
    last = {}
    for line in (data_dir / "s3rec" / s3rec.files(_category(name))[0]).read_text().splitlines():
        user, *items = line.split()
        last[user] = items[-1]
    assert {
        data.user_ids[user]: data.item_ids[data.test.relevant[row][0]]
        for row, user in enumerate(data.test.user)
    } == last
    assert data.exclude_seen and data.protocol == "leave-last-one"


@pytest.mark.parametrize("name", NAMES)
def test_the_real_files_are_the_published_ones(data_dir: Path, name: str):
    from retrieval_leaderboard.datasets.sources.download import _digest

    for file in s3rec.files(_category(name)):
        if not (data_dir / "s3rec" / file).is_file():
            pytest.skip(f"{file} is not in {data_dir}")
        assert f"git:{_digest(data_dir / 's3rec' / file, 'git')}" == s3rec.DIGESTS[file]


def test_every_item_of_the_real_attributes_has_a_code(data_dir: Path):
    if not SOURCES["s3rec-toys"].holds(data_dir / "s3rec"):
        pytest.skip(f"s3rec-toys is not in {data_dir}")
    log = s3rec.load(data_dir / "s3rec", "s3rec-toys", "Toys_and_Games").log()
    known = json.loads((data_dir / "s3rec" / "Toys_and_Games_item2attributes.json").read_text())
    found = decoded.values(log.item_features, "attributes", log.item_ids)
    assert found == {each: [str(code) for code in known.get(each, [])] for each in log.item_ids}


def _category(name: str) -> str:
    return {"beauty": "Beauty", "sports": "Sports_and_Outdoors", "toys": "Toys_and_Games"}[
        name.partition("-")[2]
    ]


def _cold(data) -> int:
    asked = np.unique(data.test.relevant.compact()[0])
    return int((data.train_valid.item_counts[asked] == 0).sum())
