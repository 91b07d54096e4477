"""Alibaba-iFashion in its official layout: clicks on outfits, titles with commas, the 7z archive."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.sources import ifashion
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources import decoded

CLICKS = "b2f2,i1;i2;i3,o9\nb2f2,i1;i2;i3;i7,o4\na001,,o9\nb2f2,i1;i2;i3;i7,o9\n"
OUTFITS = "o4,i7;i1\no9,i2;i3;i8\no5,i1\n"
ITEMS = (
    'i1,c1,//img/a.jpg,秋冬, "新款", 女装\n'
    "i2,c2,//img/b.jpg,shoes\n"
    "i3,c2,//img/c.jpg,\n"
    "i7,c3,//img/d.jpg,a,b,c,d\n"
)


def write(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "user_data.txt").write_text(CLICKS)
    for name, content in (("outfit_data.txt", OUTFITS), ("item_data.txt", ITEMS)):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr(name, content)
    return folder


def test_outfits_are_the_items(tmp_path: Path):
    log = ifashion.load(write(tmp_path), tmp_path / "cache").log()
    assert decoded.pairs(log) == [("b2f2", "o9"), ("b2f2", "o4"), ("a001", "o9"), ("b2f2", "o9")]
    assert log.timestamp is None and not log.ordered
    found = decoded.values(log.item_features, "categories", log.item_ids)
    assert found == {"o4": ["c3", "c1"], "o9": ["c2", "c2"]}


def test_without_the_other_tables_there_are_no_features(tmp_path: Path):
    (tmp_path / "user_data.txt").write_text(CLICKS)
    assert ifashion.load(tmp_path, tmp_path / "cache").log().item_features is None


def test_a_history_longer_than_others_blocks(tmp_path: Path):
    long = ";".join(["0123456789abcdef0123456789abcdef"] * 100_000)
    (tmp_path / "user_data.txt").write_text(f"{CLICKS}c3,{long},o5\n")
    assert decoded.pairs(ifashion.load(tmp_path, tmp_path).log())[-1] == ("c3", "o5")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b2f2,i1;i2\n", "line 5: 2 fields where there should be 3"),
        ("b2f2,i1;i2,\n", "row 5: 'outfit' is missing"),
        (",i1;i2,o4\n", "row 5: 'user' is missing"),
    ],
)
def test_other_lines_are_refused(tmp_path: Path, line: str, message: str):
    (tmp_path / "user_data.txt").write_text(CLICKS + line)
    with pytest.raises(InputError, match=rf"user_data\.txt, {message}"):
        ifashion.load(tmp_path, tmp_path).log()


def test_an_item_without_its_fields_is_named(tmp_path: Path):
    write(tmp_path)
    (tmp_path / "item_data.txt").write_text(f"{ITEMS}i8,c9\n")
    with pytest.raises(InputError, match=r"item_data\.txt, row 5: an item has a category"):
        ifashion.load(tmp_path, tmp_path).log()


def test_an_archive_without_what_unpacks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "user_data.7z").write_bytes(b"7z")
    assert ifashion.holds(tmp_path)
    monkeypatch.setattr(ifashion, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"user_data\.7z needs py7zr to be unpacked: pip install py7zr, or unpack"
    ):
        ifashion.load(tmp_path, tmp_path / "cache")


@pytest.mark.skipif(not importlib.util.find_spec("py7zr"), reason="py7zr is not installed")
def test_the_archive_is_unpacked_once_into_the_cache(tmp_path: Path):
    import py7zr

    (tmp_path / "data").mkdir()
    with py7zr.SevenZipFile(tmp_path / "data" / "user_data.7z", "w") as archive:
        archive.writestr(CLICKS, "user_data/user_data.txt")
    read, files = [], []
    for _ in range(2):
        read.append(ifashion.load(tmp_path / "data", tmp_path / "cache").log())
        files += [path.stat().st_ino for path in (tmp_path / "cache").rglob("*.txt")]
    assert (
        decoded.pairs(read[0])
        == decoded.pairs(read[1])
        == [("b2f2", "o9"), ("b2f2", "o4"), ("a001", "o9"), ("b2f2", "o9")]
    )
    assert len(files) == 2 and len(set(files)) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["user_data.7z"]


@pytest.mark.skipif(not importlib.util.find_spec("py7zr"), reason="py7zr is not installed")
def test_a_damaged_archive(tmp_path: Path):
    (tmp_path / "user_data.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(40))
    with pytest.raises(InputError, match="is damaged, locked or no 7z archive"):
        ifashion.load(tmp_path, tmp_path / "cache")


def test_the_full_data_and_kgins_cut_are_two_datasets(tmp_path: Path):
    lines = "".join(f"u{user},i1,o{(user + number) % 7}\n" for user in range(5) for number in range(6))
    (write(tmp_path / "alibaba-ifashion") / "user_data.txt").write_text(lines)
    full = load("alibaba-ifashion", tmp_path)
    assert (full.protocol, len(full.user_ids), len(full.test)) == ("random", 5, 5)
    assert full.notes[0] == "5 users, not the published 3,569,112"
    cut = tmp_path / "alibaba-ifashion-kgin"
    cut.mkdir()
    (cut / "train.txt").write_text("0 1 2 3 4 5\n1 0 5\n")
    (cut / "test.txt").write_text("0 0\n1 2 1\n")
    data = load("alibaba-ifashion-kgin", tmp_path)
    assert data.protocol == "published"
    assert data.notes[:3] == (
        "2 users, not the published 114,737",
        "6 items, not the published 30,040",
        "10 interactions, not the published 1,781,093",
    )
