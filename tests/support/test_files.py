"""Files and folders are whole or absent; a folder is worked in by one command at a time."""

import errno
import json
import subprocess
import sys
import time

import pytest

from support.errors import InputError
from support.files import atomic_file, atomic_folder, contents, locked, write_json


def test_a_folder_takes_its_place_when_whole(tmp_path):
    target = tmp_path / "runs" / "one"
    for content in ("first", "second"):
        with atomic_folder(target) as scratch:
            (scratch / "file").write_text(content)
        assert (target / "file").read_text() == content
    assert [path.name for path in target.parent.iterdir()] == ["one"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("bug")])
def test_an_interrupted_folder_leaves_nothing(tmp_path, error):
    with pytest.raises(type(error)), atomic_folder(tmp_path / "one") as scratch:
        (scratch / "file").write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path):
    target = tmp_path / "table"
    target.write_text("old")
    with (
        pytest.raises(InputError, match=r"cannot write .*table: No space left"),
        atomic_file(target) as scratch,
    ):
        scratch.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


def test_a_file_where_a_folder_must_be(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(InputError, match="cannot write"), atomic_folder(tmp_path / "results" / "run"):
        pass


def test_what_cannot_be_read_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="nowhere cannot be read: No such file or directory"):
        contents(tmp_path / "nowhere")


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "run.json", {"ndcg": float("nan")})
    write_json(tmp_path / "run.json", {"ndcg": 0.5})
    assert json.loads((tmp_path / "run.json").read_text()) == {"ndcg": 0.5}


def test_a_second_command_waits_and_says_so(tmp_path):
    code = (
        "import sys; from pathlib import Path; from support.files import locked\n"
        "with locked(Path(sys.argv[1]), 'waiting'): print('in', flush=True)"
    )
    with locked(tmp_path, "never printed"):
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert other.stdout.readline() == "waiting\n"
        time.sleep(0.2)
        assert other.poll() is None
    assert other.communicate(timeout=10)[0] == "in\n"
