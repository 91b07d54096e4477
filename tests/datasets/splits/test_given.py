"""Protocol `given`: what comes split stays split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retrieval_leaderboard.datasets import Dataset, Queries, load
from retrieval_leaderboard.support.errors import InputError

TRAIN = [("u", "b", 30), ("u", "a", 10), ("v", "b", 5), ("v", "b", 6)]
VALID = [("u", "c", 40), ("v", "b", 50)]
TEST = [("u", "e", 70), ("u", "d", 60), ("u", "a", 65), ("new", "a", 80), ("v", "c", 61)]


def write(path: Path, rows: list[tuple[str, str, int]], timed: bool = True) -> str:
    names = ("user_id:token", "item_id:token", "timestamp:float")
    lines = ["\t".join(map(str, row[: 2 + timed])) for row in (names, *rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def trio(folder: Path, timed: bool = True, valid: bool = True, **given: Any) -> Dataset:
    parts = {"train": TRAIN, "test": TEST} | ({"valid": VALID} if valid else {})
    paths = {part: write(folder / f"x.{part}.inter", rows, timed) for part, rows in parts.items()}
    return load(**paths, **given)


def ids(dataset: Dataset, queries: Queries) -> dict[str, tuple[list[str], list[str]]]:
    """User → history and relevant items."""
    item = dataset.item_ids
    return {
        dataset.user_ids[user]: (item[queries.history[at]].tolist(), item[queries.relevant[at]].tolist())
        for at, user in enumerate(queries.user)
    }


def test_each_part_is_what_the_files_say(tmp_path: Path):
    dataset = trio(tmp_path)
    assert (dataset.name, dataset.title, dataset.protocol, dataset.exclude_seen) == ("x", "x", "given", True)
    assert len(dataset.train) == 3 and len(dataset.train_valid) == 4
    assert ids(dataset, dataset.valid) == {"u": (["a", "b"], ["c"])}
    assert ids(dataset, dataset.test) == {
        "u": (["a", "b", "c"], ["d", "e"]),
        "v": (["b"], ["c"]),
        "new": ([], ["a"]),
    }
    assert dataset.test.timestamp is not None
    assert dict(zip(dataset.user_ids[dataset.test.user], dataset.test.timestamp, strict=True)) == {
        "u": 60,
        "v": 61,
        "new": 80,
    }
    assert dataset.validation == "the source's own validation rows"
    for note in (
        "1 pairs of user and item stand in train and in test",
        "1 pairs of user and item stand in train and in validation",
        "1 duplicate interactions dropped from training",
        "train and test overlap in 1 pairs: they are not counted as truth",
        "1 test users without a training interaction",
        "2 test items without a training interaction",
    ):
        assert note in dataset.notes
    assert dataset.profile is not None
    assert (dataset.profile.rows, dataset.profile.chosen) == (11, "for the files come split")


def test_seen_items_may_return(tmp_path: Path):
    dataset = trio(tmp_path, exclude_seen=False)
    assert ids(dataset, dataset.test)["u"] == (["a", "b", "c"], ["d", "a", "e"])
    assert ids(dataset, dataset.valid)["v"] == (["b"], ["b"])
    assert not any("not counted as truth" in note for note in dataset.notes)
    assert "1 pairs of user and item stand in train and in test" in dataset.notes


def test_without_times_the_order_is_that_of_the_files(tmp_path: Path):
    dataset = trio(tmp_path, timed=False)
    assert ids(dataset, dataset.test)["u"] == (["b", "a", "c"], ["e", "d"])
    assert dataset.test.timestamp is None


@pytest.mark.parametrize("timed", [True, False])
def test_without_validation_a_fifth_of_each_users_training_rows_is_drawn(tmp_path: Path, timed: bool):
    rows = [(user, f"i{item}", item) for user in "abc" for item in range(10)]
    given = {
        "train": write(tmp_path / "train.tsv", rows, timed),
        "test": write(tmp_path / "test.tsv", [("a", "i11", 11)], timed),
    }
    dataset = load(**given)
    assert dataset.name == tmp_path.name
    assert (len(dataset.train), len(dataset.train_valid)) == (24, 30)
    assert dataset.valid.relevant.lengths.tolist() == [2, 2, 2]
    assert dataset.validation == "a fifth of each user's rows that are not test, drawn one by one"
    assert load(**given, carve="as-test").carve == "draw"
    assert load(**given, split_seed=1).fingerprint != dataset.fingerprint
    assert (dataset.valid.timestamp is not None) == timed


def test_validation_as_given_is_not_carved(tmp_path: Path):
    with pytest.raises(InputError, match="carve draw: the validation part is given; leave it out"):
        trio(tmp_path, carve="draw")


def test_files_that_come_split_have_no_other_protocol(tmp_path: Path):
    with pytest.raises(InputError, match=r"unknown protocol for .* 'time': .*known: given"):
        trio(tmp_path, protocol="time")
    with pytest.raises(InputError, match=r"unknown protocol for .*'given'"):
        load(write(tmp_path / "x.inter", TRAIN), protocol="given")


def test_a_history_that_goes_on_after_the_query_is_noted(tmp_path: Path):
    train = write(tmp_path / "train.tsv", [("u", "a", 1), ("u", "b", 9), ("v", "a", 1), ("v", "b", 2)] * 3)
    test = write(tmp_path / "test.tsv", [("u", "d", 5), ("v", "e", 2), ("w", "e", 0)])
    late = "1 test queries come before the last interaction of their history: it knows of later times"
    assert late in load(train=train, test=test).notes
    valid = write(tmp_path / "valid.tsv", [("u", "c", 3)])
    assert late in load(train=train, valid=valid, test=test).notes
    write(tmp_path / "test.tsv", [("u", "d", 9), ("v", "e", 2)])
    assert not any("test queries come before" in note for note in load(train=train, test=test).notes)


def test_rows_that_are_left_out_shift_no_part(tmp_path: Path):
    train = write(tmp_path / "train.tsv", [("", "x", 1), ("", "y", 1), ("u", "a", 1), ("u", "b", 2)])
    valid = write(tmp_path / "valid.tsv", [("u", "c", 3)])
    test = write(tmp_path / "test.tsv", [("u", "d", 4), ("u", "e", 5)])
    dataset = load(train=train, valid=valid, test=test, drop_incomplete=True)
    assert ids(dataset, dataset.valid) == {"u": (["a", "b"], ["c"])}
    assert ids(dataset, dataset.test) == {"u": (["a", "b", "c"], ["d", "e"])}


def test_errors_name_the_file_of_the_part(tmp_path: Path):
    train = write(tmp_path / "x.train.inter", TRAIN)
    test = write(tmp_path / "x.test.inter", [("u", "a", 1), ("", "b", 2)])
    with pytest.raises(InputError, match=r"x\.test\.inter, line 3: 'user_id:token' is missing"):
        load(train=train, test=test)
    write(tmp_path / "x.test.inter", TEST, timed=False)
    with pytest.raises(InputError, match=r"x\.test\.inter has no column 'timestamp:float'"):
        load(train=train, test=test)


@pytest.mark.parametrize("name", ["train", "valid", "test"])
def test_a_part_of_which_no_row_is_left_is_refused(tmp_path: Path, name: str):
    rows = {"train": 3, "valid": 3, "test": 3}
    for part, rating in (rows | {name: 1}).items():
        lines = [f"u{user},i{user + 3 * step + len(part)},{rating}" for user in range(9) for step in range(4)]
        (tmp_path / f"{part}.csv").write_text("\n".join(["user,item,rating", *lines]) + "\n")
    given = {part: str(tmp_path / f"{part}.csv") for part in rows}
    with pytest.raises(InputError, match=f"--{name} .*{name}.csv: no row of it is left"):
        load(**given, min_rating=2)


def test_a_file_of_validation_without_rows_is_refused(tmp_path: Path):
    rows = [("u1", f"i{step}", step) for step in range(8)]
    given = {part: write(tmp_path / f"{part}.csv", rows[:4]) for part in ("train", "test")}
    (tmp_path / "valid.csv").write_text((tmp_path / "train.csv").read_text().splitlines()[0] + "\n")
    with pytest.raises(InputError, match=r"--valid .*valid\.csv: no row of it is left"):
        load(**given, valid=str(tmp_path / "valid.csv"))


@pytest.mark.parametrize("late", ["1700000008000", "2023-11-14T22:13:28Z"])
def test_parts_whose_times_are_of_different_forms_are_refused(tmp_path: Path, late: str):
    lines = {"train": [f"u1,i{step},{1_700_000_000 + step}" for step in range(4)], "test": [f"u1,i9,{late}"]}
    for part, rows in lines.items():
        (tmp_path / f"{part}.csv").write_text("\n".join(["user,item,timestamp", *rows]) + "\n")
    given = {part: str(tmp_path / f"{part}.csv") for part in lines}
    with pytest.raises(InputError, match="or do without the column: --columns timestamp="):
        load(**given)
    assert load(**given, columns={"timestamp": ""}).test.timestamp is None


def test_parts_need_the_used_columns_in_common_alone(tmp_path: Path):
    (tmp_path / "train.csv").write_text("user,item,timestamp,price\nu1,a,1,2\nu1,b,2,2\nu2,a,3,1\n")
    (tmp_path / "test.csv").write_text("item,note,user\nc,x,u1\nb,x,u2\n")
    given = {part: str(tmp_path / f"{part}.csv") for part in ("train", "test")}
    with pytest.raises(InputError, match=r"test\.csv has no column 'timestamp', .*--columns timestamp="):
        load(**given)
    found = load(**given, columns={"timestamp": ""})
    assert ids(found, found.test) == {"u1": (["a", "b"], ["c"]), "u2": (["a"], ["b"])}
