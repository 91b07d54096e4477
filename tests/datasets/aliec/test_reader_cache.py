"""The parsed official files are kept, found again, and made anew where they are damaged."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets.aliec import reader
from retrieval_leaderboard.datasets.aliec.simulator import MARKER
from tests.datasets.aliec.official import RAW, assert_same, load, write


def _no_parsing(sources: object) -> None:
    raise AssertionError("the official files were read again")


def test_second_load_reads_the_cache_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "aliec")
    first = load(folder)
    monkeypatch.setattr(reader, "parse", _no_parsing)
    second = load(folder)
    assert_same(second, first)
    assert second.notes == first.notes
    assert second.user_features is not None
    assert second.user_features["age_level"].codes.flags.writeable


def test_marker_is_not_part_of_the_cache(tmp_path: Path) -> None:
    folder = write(tmp_path / "aliec")
    assert load(folder).name == "aliec"
    (folder / MARKER).write_text('{"scale": 1.0}')
    assert load(folder).name == "aliec-sim"


@pytest.mark.parametrize("file", ["clicks.npz", "user_features.npz", "item_features.npz", "context.npz"])
@pytest.mark.parametrize("damage", ["truncate", "empty", "remove", "flip"])
def test_damaged_cache_is_rebuilt(
    tmp_path: Path, file: str, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "aliec")
    first = load(folder)
    (path,) = (tmp_path / "cache").glob(f"aliec-*/{file}")
    content = path.read_bytes()
    capsys.readouterr()
    if damage == "remove":
        path.unlink()
    else:
        flipped = content[:8] + bytes([content[8] ^ 255]) + content[9:]
        path.write_bytes({"truncate": content[: len(content) // 2], "empty": b"", "flip": flipped}[damage])
    assert_same(load(folder), first)
    assert "is damaged" in capsys.readouterr().out
    assert path.read_bytes() == content, "the cache is whole again"


def test_every_flipped_bit_of_the_cache_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "aliec")
    first = load(folder)
    (kept,) = (tmp_path / "cache").glob("aliec-*")
    parsed = reader.parse(reader._sources(folder) or {})
    parses: list[int] = []
    monkeypatch.setattr(reader, "parse", lambda sources: parses.append(1) or parsed)
    rng = np.random.default_rng(0)
    for path in sorted(kept.iterdir()):
        content = bytearray(path.read_bytes())
        for at in rng.integers(0, len(content), 10):
            flipped = content.copy()
            flipped[at] ^= 1 << rng.integers(8)
            path.write_bytes(flipped)
            parses.clear()
            assert_same(load(folder), first)
            assert parses, f"byte {at} of {path.name}"


def test_processes_that_start_at_once_parse_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "aliec")
    code = (
        "import sys; from pathlib import Path; from retrieval_leaderboard.datasets.aliec import reader\n"
        "parse = reader.parse\n"
        "def slow(sources):\n"
        "    import time; time.sleep(1); print('parsed'); return parse(sources)\n"
        "reader.parse = slow\n"
        "folder = Path(sys.argv[1]); print(len(reader.load(folder, folder.parent / 'cache').user), 'clicks')"
    )
    commands = [
        subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [command.communicate(timeout=60)[0].splitlines() for command in commands]
    assert [lines.count("5 clicks") for lines in told] == [1, 1, 1]
    assert sum(lines.count("parsed") for lines in told) == 1
    assert len(list((tmp_path / "cache").glob("aliec-*"))) == 1


def test_changed_source_is_read_again(tmp_path: Path) -> None:
    folder = write(tmp_path / "aliec")
    assert len(load(folder).user) == 5
    raw = folder / "raw_sample.csv"
    raw.write_text(RAW + "6,1494000000,7,430548_1007,0,1\n")
    assert len(load(folder).user) == 6
    raw.write_text(RAW.replace("30,", "31,"))
    os.utime(raw, ns=(0, 12345))
    assert list(load(folder).user_ids) == ["5", "31"]


def test_cache_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "aliec")
    (tmp_path / "cache").write_text("a file, not a folder")
    assert len(load(folder).user) == 5
    assert "going on without a cache: cannot write" in capsys.readouterr().out
