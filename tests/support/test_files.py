"""Files and folders are whole or absent; a folder is worked in by one command at a time."""

import errno
import itertools
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.errors import InputError, UnwritableError
from support.files import atomic_file, atomic_folder, contents, locked, tidy, write_json


def test_a_folder_takes_its_place_when_whole(tmp_path):
    target = tmp_path / "runs" / "one"
    for content in ("first", "second"):
        with atomic_folder(target) as scratch:
            (scratch / "file").write_text(content)
        assert (target / "file").read_text() == content
    assert [path.name for path in target.parent.iterdir()] == ["one"]


def dies_at(monkeypatch, number):
    """The process ends at the `number`-th rename: nothing after it happens."""
    real, count = Path.rename, itertools.count(1)

    def rename(self, target):
        if next(count) >= number:
            raise Death
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)


class Death(BaseException):
    pass


@pytest.mark.parametrize("number", [1, 2])
def test_the_old_folder_or_the_new_one_is_there_at_every_moment(number, tmp_path):
    target = tmp_path / "runs" / "one"
    for content in ("old", "new"):
        with pytest.MonkeyPatch.context() as patch:
            if content == "new":
                dies_at(patch, number)
                patch.setattr(shutil, "rmtree", lambda *_, **__: None)
            try:
                with atomic_folder(target) as scratch:
                    (scratch / "file").write_text(content)
            except Death:
                pass
    assert len(list(target.parent.iterdir())) == 2
    tidy(tmp_path)
    assert (target / "file").read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["one"]


def test_a_folder_set_aside_goes_where_its_place_is_taken(tmp_path):
    for name in (".old-one", "one", ".tmp-x", "two/.tmp-y"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text(name)
    (tmp_path / ".tmp-file").write_text("half")
    tidy(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "one", "two"]
    assert (tmp_path / "one" / "file").read_text() == "one"
    tidy(tmp_path / "nowhere")


def test_a_rename_that_fails_puts_the_old_folder_back(tmp_path, monkeypatch):
    target = tmp_path / "one"
    target.mkdir()
    (target / "file").write_text("old")
    real = Path.rename

    def rename(self, new):
        if self.name.startswith(".tmp-"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, new)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(UnwritableError, match="No space left"), atomic_folder(target):
        pass
    assert (target / "file").read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["one"]


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
