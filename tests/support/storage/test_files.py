"""Files and folders are whole or absent, on the disk, and open to whom the user opens new files."""

import errno
import itertools
import json
import os
import resource
import shutil
import signal
import stat
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.support.errors import InputError, UnwritableError
from retrieval_leaderboard.support.storage.files import atomic_file, atomic_folder, contents, tidy, write_json


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


@pytest.fixture(params=[0o022, 0o027, 0o002, 0o077])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_permissions_are_those_of_any_new_file(tmp_path, umask):
    with atomic_folder(tmp_path / "run") as scratch:
        (scratch / "part").mkdir(mode=0o700)
        for path in (scratch / "weights", scratch / "part" / "weights"):
            path.touch(mode=0o600)
    with atomic_file(tmp_path / "weights") as scratch:
        scratch.unlink()
        scratch.touch(mode=0o600)
    assert {mode(path) for path in tmp_path.rglob("weights")} == {0o666 & ~umask}
    assert {mode(tmp_path / "run"), mode(tmp_path / "run" / "part")} == {0o777 & ~umask}


def test_all_is_on_the_disk_before_it_takes_its_name_and_the_name_too(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    target = tmp_path / "run"

    def inodes(*paths):
        return [path.stat().st_ino for path in paths]

    with atomic_folder(target) as scratch:
        (scratch / "weights").write_text("1")
        expected = inodes(scratch / "weights", scratch, tmp_path)
    assert synced == expected
    synced.clear()
    with atomic_file(tmp_path / "table") as scratch:
        scratch.write_text("1")
        expected = inodes(scratch, tmp_path)
    assert synced == expected


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fails_at_the_last_moment_loses_nothing(tmp_path, monkeypatch, number):
    def fail(handle):
        raise OSError(number, os.strerror(number))

    for target, make in ((tmp_path / "run", atomic_folder), (tmp_path / "table", atomic_file)):
        with make(target):
            pass
        before = target.stat().st_ino
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fail)
            with (
                pytest.raises(InputError, match=f"cannot write .*: {os.strerror(number)}"),
                make(target) as new,
            ):
                (new / "weights" if new.is_dir() else new).write_text("new")
        assert target.stat().st_ino == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "table"]


def test_a_file_system_that_cannot_sync_folders_is_written_to_all_the_same(tmp_path, monkeypatch):
    sync = os.fsync

    def refuse(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    with atomic_folder(tmp_path / "run"):
        pass
    assert (tmp_path / "run").is_dir()


def write_weights(folder):
    from safetensors.numpy import save_file

    save_file({"weights": np.zeros(100_000)}, folder / "weights.safetensors")


def write_index(folder):
    import faiss

    index = faiss.IndexFlatIP(10)
    index.add(np.zeros((10_000, 10), np.float32))
    faiss.write_index(index, str(folder / "index.faiss"))


def write_lists(folder):
    np.savez(folder / "lists.npz", items=np.zeros(100_000))


@pytest.fixture
def full_disk():
    """No file can grow beyond 50 kB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("write", [write_weights, write_index, write_lists])
def test_a_disk_that_is_full_is_one_sentence_whichever_library_writes(tmp_path, full_disk, write):
    with (
        pytest.raises(InputError, match=r"cannot write .*run: File too large; nothing half-written"),
        atomic_folder(tmp_path / "run") as scratch,
    ):
        write(scratch)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_only_reads_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(InputError, match="Read-only file system; nothing half-written"):
        write_json(tmp_path / "file", {})
