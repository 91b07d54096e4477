"""What a process keeps while it runs does not stay, however the process ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from retrieval_leaderboard.support.errors import UnwritableError
from retrieval_leaderboard.support.storage import locks
from retrieval_leaderboard.support.storage.scratch import scratch_folder

CODE = (
    "import sys; from pathlib import Path\n"
    "from retrieval_leaderboard.support.storage.scratch import scratch_folder\n"
    "with scratch_folder(Path(sys.argv[1])) as folder:\n"
    "    (folder / 'shared').touch(); print(folder, flush=True); sys.stdin.read()"
)


def other_process(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """One that has a folder in `place`, and that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_goes_with_what_was_done_in_it(tmp_path):
    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path / "place") as folder:
        (folder / "part").touch()
        raise ZeroDivisionError
    assert list((tmp_path / "place").iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_another_holds_is_not(tmp_path):
    process, folder = other_process(tmp_path)
    with process, scratch_folder(tmp_path) as ours:
        assert (folder / "shared").exists()
        process.kill()
        process.wait()
        with scratch_folder(tmp_path) as another:
            assert {*tmp_path.iterdir()} == {ours, another}


def test_where_nothing_tells_what_is_held_all_stays(tmp_path, monkeypatch):
    def refuse(lock, operation):
        raise OSError("no locks")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with scratch_folder(tmp_path) as ours, scratch_folder(tmp_path) as another:
        assert {*tmp_path.iterdir()} == {ours, another}


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableError, match="cannot write"), scratch_folder(tmp_path / "file"):
        pass
