"""Files of users and their items: parsing, its errors, and the real datasets' published counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets.log import TEST, TRAIN, Log
from retrieval_leaderboard.datasets.sources import lightgcn
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError


def write(folder: Path, train: str, test: str) -> Path:
    (folder / "train.txt").write_bytes(train.encode())
    (folder / "test.txt").write_bytes(test.encode())
    return folder


def pairs(log: Log, part: int) -> list[tuple[str, str]]:
    assert log.part is not None
    rows = np.flatnonzero(log.part == part)
    return [(log.user_ids[log.user[row]], log.item_ids[log.item[row]]) for row in rows]


def slow_pairs(text: str) -> list[tuple[str, str]]:
    lines = [line.split() for line in text.splitlines()]
    return [(str(int(line[0])), str(int(item))) for line in lines if line for item in line[1:]]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("0 1 2\n1 0\n", "0 3\n1 2\n"),
        ("0 1 2 \n1 0\t5  \n\n", "\n0 3\r\n1 2\r\n\n\n"),
        ("0 1 2\n3\n1 0", "0 4\n7\n7 1"),
        ("0 1\n0 2\n1 1\n0 3", "0 9"),
        ("900000000 2147483646 7\n12 7\n", "12 0\n"),
        ("007 01\n", "7 2\n"),
    ],
    ids=[
        "plain",
        "blanks",
        "user without items",
        "user on several lines",
        "sparse huge ids",
        "leading zeros",
    ],
)
def test_read_as_a_plain_parser_reads(tmp_path: Path, train: str, test: str):
    log = lightgcn.load(write(tmp_path, train, test), "any")
    assert pairs(log, TRAIN) == slow_pairs(train)
    assert pairs(log, TEST) == slow_pairs(test)
    raw = {int(line.split()[0]) for text in (train, test) for line in text.splitlines() if line.split()}
    assert log.user_ids.tolist() == [str(code) for code in sorted(raw)]
    assert list(map(int, log.item_ids)) == sorted(set(map(int, log.item_ids)))
    assert (log.name, log.ordered, log.timestamp) == ("any", False, None)
    assert log.user.dtype == log.item.dtype == np.int32


def test_users_of_the_test_file_alone_and_items_never_trained_stay(tmp_path: Path):
    dataset = split(lightgcn.load(write(tmp_path, "0 1 2\n", "0 5\n4 1\n"), "x"), "published", True, 0)
    assert dataset.test.user.tolist() == [0, 1]
    assert dataset.test.history[1].tolist() == []
    assert dataset.item_ids[dataset.test.relevant[0]].tolist() == ["5"]
    assert "1 test users without a training interaction" in dataset.notes
    assert "1 test items without a training interaction" in dataset.notes


@pytest.mark.parametrize(
    ("train", "where", "word"),
    [
        ("0 1 2\n1 x7 3\n", "line 2", "x7"),
        ("0 1 2\n\n1 -3\n", "line 3", "-3"),
        ("0 1.5\n", "line 1", "1.5"),
        ("0 1\n1 2147483647\n", "line 2", "2147483647"),
        ("0 1\n1 2\n2 99999999999999999999999999\n", "line 3", "99999999999999999999999999"),
        ("0 1\n1\t2 \t3é 4\n", "line 2", "3é"),
    ],
)
def test_what_is_no_id_is_named_with_its_line(tmp_path: Path, train: str, where: str, word: str):
    with pytest.raises(InputError) as error:
        lightgcn.load(write(tmp_path, train, "0 1\n"), "x")
    assert f"train.txt, {where}: '{word}' is no id" in str(error.value)


@pytest.mark.parametrize("content", ["", " \n\n"])
def test_an_empty_file(tmp_path: Path, content: str):
    with pytest.raises(InputError, match=r"test\.txt: the file is empty"):
        lightgcn.load(write(tmp_path, "0 1\n", content), "x")


@pytest.mark.parametrize(
    ("name", "users", "items", "train", "test"),
    [("gowalla", 29858, 40981, 810128, 217242), ("amazon-beauty", 7068, 3570, 60818, 18688)],
)
def test_published_counts(data_dir: Path, name: str, users: int, items: int, train: int, test: int):
    dataset = split(lightgcn.load(data_dir / name, name), "published", True, 0)
    assert (dataset.train_valid.n_users, dataset.train_valid.n_items) == (users, items)
    assert len(dataset.train_valid) == train
    assert dataset.test.relevant.lengths.sum() == test
    assert len(dataset.test) == users
    assert len(dataset.train) + dataset.valid.relevant.lengths.sum() == train
    assert dataset.test.history.values is dataset.train_valid.item
    assert not any("overlap" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (b"0 1\n1 \x0c2\n", r"train\.txt, line 2: '\\x0c2' is no id"),
        (b"0 1\n1 2\x0b\n", r"train\.txt, line 2: '2\\x0b' is no id"),
        (b"0 1\n\xc2\xa01 2\n", r"train\.txt, line 2: '\\xa01' is no id"),
        (b"0 1\n1 2\n\x1a", r"train\.txt, line 3: '\\x1a' is no id"),
        (b"0 1\n1 \xff\n", "train\\.txt, line 2: '\ufffd' is no id"),
        ("0 1\n1 2\n".encode("utf-16"), r"train\.txt, line 1: the text is UTF-16; save it as UTF-8"),
        (b"0 1 2\r1 3 4", r"train\.txt, line 1: a line ends by a carriage return alone"),
        (b"0 1 2\n1 3\r2 4\n", r"train\.txt, line 2: a line ends by a carriage return alone"),
    ],
)
def test_odd_bytes_are_named_with_their_line(tmp_path: Path, train: bytes, message: str):
    folder = write(tmp_path, "", "0 1\n")
    (folder / "train.txt").write_bytes(train)
    with pytest.raises(InputError, match=message):
        lightgcn.load(folder, "x")


def test_a_byte_order_mark_is_no_part_of_the_first_id(tmp_path: Path):
    log = lightgcn.load(write(tmp_path, "\ufeff0 1 2\r\n1 0\r\n", "\ufeff0 3\n"), "x")
    assert pairs(log, TRAIN) == slow_pairs("0 1 2\n1 0\n")
    assert pairs(log, TEST) == [("0", "3")]
