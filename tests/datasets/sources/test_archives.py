"""Downloaded archives: unpacked, kept, damaged, locked, hostile."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from retrieval_leaderboard.datasets.sources.download import fetch
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.sources.local_server import GOOD, Server, assert_nothing_left, files_of, sha256


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_is_unpacked_without_its_folders(server: Server, tmp_path: Path):
    archive = zipped({"ml/": b"", "ml/ratings.dat": GOOD, "ml/README": b"read me"})
    server.answers = {"/ml.zip": [archive]}
    fetch("it", files_of({"ml.zip": sha256(archive)}, server.url + "/{file}"), tmp_path / "it")
    assert sorted(path.name for path in (tmp_path / "it").iterdir()) == ["README", "ratings.dat"]
    assert (tmp_path / "it" / "ratings.dat").read_bytes() == GOOD


def test_an_archive_may_stay_packed(server: Server, tmp_path: Path):
    archive = zipped({"it/x": GOOD})
    server.answers = {"/a.zip": [archive]}
    fetch("it", files_of({"a.zip": sha256(archive)}, server.url + "/{file}", unpack=False), tmp_path / "it")
    assert (tmp_path / "it" / "a.zip").read_bytes() == archive


@pytest.mark.parametrize(
    "name", ["../evil", "ml/../../evil", "/tmp/evil", "C:/evil", "..\\evil", "C:\\evil", "ml/../evil"]
)
def test_a_hostile_archive_unpacks_nothing(server: Server, tmp_path: Path, name: str):
    archive = zipped({"ml/ratings.dat": GOOD, name: b"evil"})
    server.answers = {"/ml.zip": [archive]}
    with pytest.raises(InputError, match="unsafe path"):
        fetch("it", files_of({"ml.zip": ""}, server.url + "/{file}"), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")


@pytest.mark.parametrize("damage", ["no zip", "cut", "flipped"])
def test_a_damaged_archive(server: Server, tmp_path: Path, damage: str):
    archive = bytearray(zipped({"ml/ratings.dat": bytes(range(256)) * 400}))
    if damage == "flipped":
        archive[60] ^= 0xFF
    server.answers = {"/ml.zip": [{"no zip": GOOD, "cut": bytes(archive[:-30])}.get(damage, bytes(archive))]}
    with pytest.raises(InputError, match="damaged, locked or no zip archive"):
        fetch("it", files_of({"ml.zip": ""}, server.url + "/{file}"), tmp_path / "it")
    assert_nothing_left(tmp_path / "it")


def with_field(archive: bytes, offset: int, value: int) -> bytes:
    """`archive` with a 16-bit field of all its entries changed; `offset` is that in a local header."""
    changed = bytearray(archive)
    for signature, at in ((b"PK\3\4", offset), (b"PK\1\2", offset + 2)):
        start = changed.find(signature)
        while start >= 0:
            changed[start + at : start + at + 2] = value.to_bytes(2, "little")
            start = changed.find(signature, start + 4)
    return bytes(changed)


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (with_field(zipped({"x": GOOD}), 6, 1), "encrypted"),
        (with_field(zipped({"x": GOOD}), 8, 97), "compression method"),
        (with_field(zipped({"x": GOOD}), 4, 99), "it.zip is damaged, locked or no zip archive"),
        (zipped({"n" * 300: GOOD}), "a file whose name has 300 characters; nothing was unpacked"),
        (zipped({"é" * 150: GOOD}), "a file whose name has 150 characters"),
        (zipped({"a/x": b"1", "b/x": b"2"}), "two files of the name 'x'"),
        (zipped({"it.zip": b"inner"}), r"two files of the name 'it\.zip'"),
        (zipped({"x": bytes(1 << 26)}), "67,108,864 bytes, more than 250 times its own"),
        (zipped({f"{number}": b"" for number in range(10_001)}), "10,001 files"),
    ],
)
def test_a_locked_or_hostile_archive_is_one_sentence(
    server: Server, tmp_path: Path, archive: bytes, message: str
):
    server.answers = {"/it.zip": [archive]}
    with pytest.raises(InputError, match=message) as error:
        fetch("it", files_of({"it.zip": ""}, server.url + "/{file}"), tmp_path / "it")
    assert "\n" not in str(error.value)
    assert_nothing_left(tmp_path / "it")
