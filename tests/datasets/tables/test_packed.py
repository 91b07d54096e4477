"""Packed files: what is in them, and what is refused."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets.sources import archives
from retrieval_leaderboard.datasets.tables import packed
from retrieval_leaderboard.datasets.tables.source_table import open_table
from retrieval_leaderboard.support.errors import InputError

TEXT = b"user,item\n1,a\n"


def zst(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zst)])
def test_streams_of_several_members(tmp_path: Path, suffix: str, pack):
    path = tmp_path / f"log.csv{suffix}"
    path.write_bytes(pack(TEXT) + pack(b"2,b\n"))
    assert packed.read(path) == TEXT + b"2,b\n"
    assert (packed.kind(path), packed.stem(path)) == (".csv", "log")


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zst)])
@pytest.mark.parametrize("how", ["cut", "plain"])
def test_damaged_streams(tmp_path: Path, suffix: str, pack, how: str):
    path = tmp_path / f"log.csv{suffix}"
    path.write_bytes(pack(TEXT * 1000)[:-9] if how == "cut" else TEXT)
    with pytest.raises(InputError, match=rf"log\.csv\{suffix} is damaged or no"):
        packed.read(path)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zst)])
def test_floods(tmp_path: Path, suffix: str, pack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "SMALL_BYTES", 1000)
    path = tmp_path / f"log.csv{suffix}"
    path.write_bytes(pack(b"0" * 5_000_000))
    with pytest.raises(InputError, match="unpacks to more than 250 times its size"):
        packed.read(path)
    with pytest.raises(InputError, match="more than 250 times its own"):
        packed.read(zipped(tmp_path / "log.zip", **{"log.csv": b"0" * 5_000_000}))


def test_a_zip_of_one_file(tmp_path: Path):
    path = zipped(tmp_path / "log.zip", **{"in/log.tsv": TEXT, "__MACOSX/in/._log.tsv": b"x"})
    assert (packed.kind(path), packed.stem(path), packed.read(path)) == (".tsv", "log", TEXT)


def test_zips_that_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"log\.zip holds 2 files; pack one, or unpack them into a folder"):
        open_table(zipped(tmp_path / "log.zip", **{"a.csv": TEXT, "b.csv": TEXT}), {})
    with pytest.raises(InputError, match="holds 0 files"):
        open_table(zipped(tmp_path / "log.csv.zip"), {})
    (tmp_path / "log.csv.zip").write_bytes(TEXT)
    with pytest.raises(InputError, match="damaged, locked or no zip archive"):
        open_table(tmp_path / "log.csv.zip", {})


def test_packed_parquet(tmp_path: Path):
    (tmp_path / "log.parquet.gz").write_bytes(gzip.compress(b"PAR1"))
    with pytest.raises(InputError, match="Parquet is packed by itself; unpack the file"):
        open_table(tmp_path / "log.parquet.gz", {})
