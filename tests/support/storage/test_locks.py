"""A folder is worked in by one command at a time, also where the system has other locks or none."""

import errno
import os
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import locks
from retrieval_leaderboard.support.storage.locks import held, locked


def test_a_second_command_waits_and_says_so(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from retrieval_leaderboard.support.storage.locks import locked\n"
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


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EIO])
def test_a_file_system_without_locks_is_told_in_a_line(tmp_path, monkeypatch, capsys, number):
    def refuse(lock, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with locked(tmp_path, "never printed"):
        pass
    said = f"{tmp_path} cannot be locked ({os.strerror(number)}): start no second command in it\n"
    assert capsys.readouterr().out == said


def test_a_mistake_within_is_not_taken_for_a_missing_lock(tmp_path):
    with pytest.raises(OSError, match="mine"), locked(tmp_path, "never printed"):
        raise OSError(errno.ENOLCK, "mine")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"), locked(tmp_path / "file" / "board", ""):
        pass


def windows_module(monkeypatch, held_for):
    """`support.storage.locks` as Windows imports it; the lock is another's for the first `held_for` tries."""
    tries = []

    def locking(handle, how, size):
        tries.append(how)
        if len(tries) <= held_for:
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(
        sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_LOCK="wait", LK_NBLCK="try")
    )
    module = types.ModuleType("windows_locks")
    exec(compile(Path(locks.__file__).read_text(), locks.__file__, "exec"), vars(module))
    return module, tries


@pytest.mark.parametrize("held_for", [0, 3])
def test_windows_has_locks_of_its_own(tmp_path, monkeypatch, capsys, held_for):
    module, tries = windows_module(monkeypatch, held_for)
    with module.locked(tmp_path, "waiting"):
        pass
    assert capsys.readouterr().out == ("waiting\n" if held_for else "")
    assert tries == ["try", *["wait"] * held_for]


def test_a_held_file_is_refused_to_others_until_it_is_free(tmp_path):
    file = tmp_path / "file"
    file.write_text("as it was")
    with held(file, "never told"):
        with pytest.raises(InputError, match="it is taken"), held(file, "it is taken"):
            pass
    file.chmod(0o444)
    with held(file, "never told"):
        assert file.read_text() == "as it was"


def test_a_file_that_cannot_be_held_is_told_in_a_line(tmp_path, monkeypatch, capsys):
    def refuse(lock, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    (tmp_path / "file").touch()
    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with held(tmp_path / "file", "never told"):
        pass
    assert "file cannot be locked (No locks available): let no second" in capsys.readouterr().out


def test_a_file_that_was_replaced_before_it_was_locked_is_not_held(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    real = locks._take

    def replaced_first(lock, wait, shared):
        (tmp_path / "new").touch()
        (tmp_path / "new").replace(file)
        real(lock, wait, shared)

    monkeypatch.setattr(locks, "_take", replaced_first)
    with pytest.raises(InputError, match="it is taken"), held(file, "it is taken"):
        pass


def test_those_who_share_a_file_hold_it_together_and_alone(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with held(file, "it is taken", shared=True), held(file, "it is taken", shared=True):
        with pytest.raises(InputError, match="it is taken"), held(file, "it is taken"):
            pass
    with held(file, "it is taken"):
        with pytest.raises(InputError, match="it is taken"), held(file, "it is taken", shared=True):
            pass
