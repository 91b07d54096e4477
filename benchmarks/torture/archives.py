"""Zip and gzip files with damage, locks and hostile content."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.mutations import flipped, mutated
from retrieval_leaderboard.datasets.aliec.raw_files import RawFile, read_columns
from retrieval_leaderboard.datasets.sources import archives
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError

RIGHT = "the right content, or one sentence and nothing outside the folder"
TEXT = b"user,clk\n" + b"".join(b"%d,1\n" % n for n in range(2000))
HOSTILE = {
    "a path that leads out": {"a/../../out": b"x"},
    "an absolute path": {"/out": b"x"},
    "two files of a name": {"a/x": b"1", "b/x": b"2"},
    "a name of 300 characters": {"n" * 300: b"x"},
    "64 MiB of zeros": {"x": bytes(1 << 26)},
}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    rng, many = random.Random(seed), 40 * tries
    progress.configure(quiet=True)
    try:
        zips = sum(_unpacks(mutated(_zip(rng), rng), scratch / f"zip{n}") for n in range(many))
        sources = sum(_reads(_zip(rng), "zip", rng, scratch / f"in{n}") for n in range(many))
        packed = sum(_reads(gzip.compress(TEXT), "gz", rng, scratch / f"gz{n}") for n in range(many))
    finally:
        progress.configure(quiet=False)
    rows: list[Row] = [
        ("mutated zip archives, unpacked", many, zips, RIGHT),
        ("flipped and mutated zip archives, read as a stream", many, sources, RIGHT),
        ("flipped and mutated gzip files", many, packed, RIGHT),
    ]
    for name, members in HOSTILE.items():
        content = _packed(members, zipfile.ZIP_DEFLATED)
        held = _unpacks(content, scratch / name, may_pass=False)
        rows.append((f"a zip archive with {name}", 1, int(held), "one sentence, nothing is unpacked"))
    return rows


def _zip(rng: random.Random) -> bytes:
    return _packed({"d/raw_sample.csv": TEXT}, rng.choice(METHODS))


def _packed(members: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _unpacks(content: bytes, scratch: Path, may_pass: bool = True) -> bool:
    """Whether unpacking gives whole files, where it may, or a sentence, and touches nothing else."""
    folder = scratch / "folder"
    folder.mkdir(parents=True)
    (scratch / "it.zip").write_bytes(content)

    def right() -> bool:
        archives.unpack(scratch / "it.zip", folder)
        return may_pass and all(path.read_bytes() in (TEXT, b"") for path in folder.iterdir())

    return _refused(right) and sorted(path.name for path in scratch.iterdir()) == ["folder", "it.zip"]


def _reads(content: bytes, suffix: str, rng: random.Random, scratch: Path) -> bool:
    """Whether the file within is read as it was, or refused."""
    scratch.mkdir()
    damaged = flipped(content, rng) if rng.random() < 0.5 else mutated(content, rng)
    path = scratch / f"raw_sample.csv.{suffix}"
    path.write_bytes(damaged)

    def right() -> bool:
        source = RawFile(path)
        if suffix == "zip":
            with archives.opened(path) as packed:
                source = RawFile(path, packed.namelist()[0]) if packed.namelist() else source
        rows = sum(len(batch) for batch in read_columns(source, {"user": "int64", "clk": "int64"}))
        return rows == TEXT.count(b"\n") - 1

    return _refused(right)


def _refused(right: Callable[[], bool]) -> bool:
    try:
        return right()
    except InputError:
        return True
    except Exception:
        return False
