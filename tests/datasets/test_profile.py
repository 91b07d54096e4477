"""What is told of a dataset before anything is fitted to it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.profile import Profile
from retrieval_leaderboard.support.storage import typed


def write(path: Path, rows: list[tuple], header: str = "user,item,timestamp") -> str:
    path.write_text(header + "\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return str(path)


def rows(users: int, each: int, apart: int = 1000) -> list[tuple]:
    rng = np.random.default_rng(0)
    return [
        (f"u{user}", f"i{item}", 1_600_000_000 + apart * step)
        for user in range(users)
        for step, item in enumerate(rng.permutation(40)[:each])
    ]


def test_all_of_it(tmp_path: Path):
    log = [*rows(50, 10), ("u0", "i1", 1_700_000_000), ("u0", "i1", 1_700_000_000), ("", "i1", 5)]
    path = write(tmp_path / "log.csv", [(*row, "x") for row in log], "user,item,timestamp,page")
    profile = load(path, tmp_path, drop_incomplete=True).profile
    assert profile is not None
    assert (profile.rows, profile.kept, profile.dropped) == (503, 502, {"without a user": 1})
    assert profile.repeated == 502 - len({row[:2] for row in log if row[0]})
    assert (profile.users, profile.items) == (50, 40)
    assert profile.density == (502 - profile.repeated) / 2000
    assert profile.columns == {"user": "user", "item": "item", "timestamp": "timestamp"}
    assert profile.left_out == ["page"]
    assert profile.times == "seconds since 1970"
    assert (profile.first, profile.last) == ("2020-09-13T12:26:40Z", "2023-11-14T22:13:20Z")
    assert profile.tied == pytest.approx(2 / 502)
    assert (profile.protocol, profile.chosen) == ("time", "by default, for there are times")
    assert profile.begin == ["2020-09-13T14:40:00Z", "2020-09-13T14:56:40Z"]
    text = "\n".join(profile.lines())
    for part in (
        "503 rows read, 502 kept (left out: 1 without a user)",
        "50 users, 40 items",
        "not used: page",
    ):
        assert part in text
    assert typed.parse(Profile, json.loads(json.dumps(profile.as_dict()))) == profile


def test_numbers_that_give_an_order_are_no_dates(tmp_path: Path):
    log = [(user, item, when - 1_600_000_000) for user, item, when in rows(50, 10)]
    profile = load(write(tmp_path / "log.csv", log), tmp_path).profile
    assert profile is not None
    assert (profile.first, profile.last) == ("0", "9000")
    assert "an order, not dates" in profile.times


@pytest.mark.parametrize("memory", [None, "300MB"])
@pytest.mark.parametrize("begin", [0, 1])
def test_places_in_each_users_sequence_are_no_periods(tmp_path: Path, begin: int, memory: str | None):
    places = [
        (f"u{user}", f"i{(user + place) % 20}", begin + place)
        for user in range(9)
        for place in range(user + 2)
    ]
    found = load(write(tmp_path / "places.csv", places[::-1]), tmp_path, memory=memory)
    assert found.profile is not None
    assert found.profile.chosen == "by default, for times are places in each user's sequence"
    assert (found.protocol, len(found.test)) == ("leave-last-one", 8)
    # One place left out, or one user who begins later, and they are a clock.
    for odd in ([*places, ("u0", "i6", begin + 9)], [*places, ("late", "i1", 2), ("late", "i2", 3)]):
        assert load(write(tmp_path / "odd.csv", odd), tmp_path, memory=memory).protocol == "time"
    asked = load(tmp_path / "places.csv", tmp_path, memory=memory, protocol="next-item")
    assert asked.profile is not None and asked.profile.chosen == "as asked for"


def test_why_a_protocol_is_taken(tmp_path: Path):
    path = write(tmp_path / "log.csv", [row[:2] for row in rows(50, 10)], "user,item")
    for protocol, why in ((None, "for there are no times"), ("random", "as asked for")):
        profile = load(path, tmp_path, protocol=protocol).profile
        assert profile is not None
        assert (profile.protocol, profile.chosen) == ("random", why)
        assert (profile.times, profile.first, profile.tied) == ("", "", 0.0)


def test_many_ties_are_told_where_the_order_decides(tmp_path: Path):
    path = write(tmp_path / "log.csv", rows(50, 10, apart=0))
    dataset = load(path, tmp_path, protocol="next-item")
    warning = "100% of the interactions share their time with another of the same user"
    assert any(warning in note for note in dataset.notes)
    assert dataset.profile is not None and any(warning in each for each in dataset.profile.warnings)
    apart = load(write(tmp_path / "log.csv", rows(50, 10)), tmp_path, protocol="next-item")
    assert not any("share their time" in note for note in apart.notes)


def test_equal_times_cannot_be_split_by_time(tmp_path: Path):
    from retrieval_leaderboard.support.errors import InputError

    with pytest.raises(InputError, match="all times are equal"):
        load(write(tmp_path / "log.csv", rows(50, 10, apart=0)), tmp_path)


def test_a_tiny_dataset_is_warned_of(tmp_path: Path):
    dataset = load(write(tmp_path / "log.csv", rows(3, 6)), tmp_path, protocol="leave-last-one")
    assert "only 3 test queries: differences between models are mostly chance" in dataset.notes
    assert not any("only" in note for note in load(write(tmp_path / "log.csv", rows(50, 6)), tmp_path).notes)


def test_warnings_of_the_file_are_among_the_notes(tmp_path: Path):
    log = [(user, item, "2020-01-01") for user, item, _ in rows(50, 10)]
    dataset = load(write(tmp_path / "log.csv", log, "user,item,when"), tmp_path)
    (warning,) = [note for note in dataset.notes if "looks like a time" in note]
    assert dataset.profile is not None and dataset.profile.warnings == [warning]


def test_known_datasets_have_one(data_dir: Path):
    profile = load("ml-100k", data_dir).profile
    assert profile is not None
    assert (profile.rows, profile.kept, profile.repeated) == (100_000, 100_000, 0)
    assert profile.chosen == "the dataset's own"
    assert profile.first.startswith("1997-09-20")


def test_few_validation_queries_are_warned_of(tmp_path: Path):
    dataset = load(write(tmp_path / "log.csv", rows(50, 6)), tmp_path, protocol="leave-last-one")
    assert not any("only" in note for note in dataset.notes)
    buys = [(*row, "buy" if at % 10 < 5 + (at < 100) else "view") for at, row in enumerate(rows(60, 10))]
    path = write(tmp_path / "log.csv", buys, "user,item,timestamp,event")
    dataset = load(path, tmp_path, protocol="random", target=["buy"])
    assert 0 < len(dataset.valid) < 30
    (note,) = [note for note in dataset.notes if "validation queries" in note]
    assert note == f"only {len(dataset.valid)} validation queries: what is chosen on them is mostly chance"
