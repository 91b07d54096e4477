"""Added items outlive the process: what was acknowledged is there again, whatever happened in between."""

import errno
import os
import shutil
from threading import Event, Thread

import numpy as np
import pytest

from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.__main__ import main
from retrieval_leaderboard.serving.bundles import bundle, journal
from retrieval_leaderboard.serving.bundles.journal import ChangedError, NotSavedError
from retrieval_leaderboard.support.errors import InputError


@pytest.fixture
def folder(toy_bundle, tmp_path):
    return shutil.copytree(toy_bundle("flat"), tmp_path / "bundle")


@pytest.fixture
def reopened(folder, toy_model):
    return lambda **options: Recommender.open(folder, toy_model, **options)


@pytest.fixture
def log(folder):
    return folder / journal.LOG


@pytest.fixture
def kept(reopened, new_item, log):
    """Keeps items without an end that is clean; the log."""

    def keep(*names):
        recommender = reopened()
        for name in names:
            recommender.keep_item(name, new_item)
        return log.read_bytes()

    return keep


def added(recommender):
    return recommender._catalog._raw[300:]


def test_a_kept_item_is_there_without_a_clean_end(kept, reopened, folder):
    kept("a", "b")
    assert added(reopened()) == ["a", "b"]
    assert not (folder / journal.FOLDED).exists()


def test_the_log_grows_by_one_line_an_item(kept, reopened, new_item, log):
    first = kept("a")
    second = kept("b")
    assert second.startswith(first) and second.count(b"\n") == first.count(b"\n") + 1


def test_a_writer_folds_the_log_where_it_begins_and_ends(kept, reopened, folder, log, new_item):
    kept("a", "b")
    with reopened(writing=True) as recommender:
        assert not log.exists() and (folder / journal.FOLDED).exists()
        recommender.keep_item("c", new_item)
        recommender.remove_item("a")
        recommender.save()
        assert log.exists()
        answer = recommender.recommend("u1", k=1000).items
    assert not log.exists()
    again = reopened()
    assert again.recommend("u1", k=1000).items == answer and "a" not in again._catalog
    assert np.array_equal(again.item_vector("c"), again.item_vector("b"))


def test_folding_that_died_half_way_tells_the_same(kept, reopened, log, new_item):
    before = kept("a", "b")
    with reopened(writing=True):
        pass
    log.write_bytes(before)
    with reopened(writing=True) as recommender:
        assert added(recommender) == ["a", "b"] and len(recommender) == 302
        recommender.keep_item("c", new_item)
    assert added(reopened()) == ["a", "b", "c"]


def test_a_torn_last_line_is_told_and_left_out(kept, reopened, log, capsys, new_item):
    one = kept("a")
    whole = kept("b")
    for size in range(len(one) + 1, len(whole) - 1, 7):
        log.write_bytes(whole[:size])
        capsys.readouterr()
        recommender = reopened()
        assert added(recommender) == ["a"] and "the last line is torn" in capsys.readouterr().out
    recommender.keep_item("c", new_item)
    assert added(reopened()) == ["a", "c"] and "torn" not in capsys.readouterr().out


def test_every_flipped_bit_is_refused_or_told(kept, reopened, log, capsys):
    whole = kept("a", "b", "c")
    for at in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        log.write_bytes(damaged)
        with pytest.raises(InputError, match=r"is not what was written: bring back|another model"):
            reopened()
    log.write_bytes(whole[:-1] + b"\x0b")
    with pytest.raises(InputError, match="line 4 is not what was written"):
        reopened()


def test_a_log_that_does_not_go_on_is_refused(kept, reopened, folder, log):
    kept("a")
    with reopened(writing=True):
        pass
    kept("b")
    (folder / journal.FOLDED).unlink()
    with pytest.raises(InputError, match=r"does not go on where changes\.parquet ends, after 0 changes"):
        reopened()


def test_the_log_of_another_model_is_refused(kept, toy_run, dataset, toy_model, tmp_path, log):
    kept("a")
    bundle.write(toy_run(1), dataset, tmp_path / "other", "flat", toy_model)
    shutil.copy(log, tmp_path / "other")
    with pytest.raises(InputError, match=r"changes\.log holds vectors"):
        Recommender.open(tmp_path / "other", toy_model)


@pytest.mark.parametrize("call", ["pwrite", "fsync"])
def test_a_full_disk_keeps_nothing_of_an_item(call, kept, reopened, log, new_item, monkeypatch):
    before = kept("a")
    recommender = reopened()
    real = os.pwrite

    def full(handle, *rest):
        if call == "pwrite":
            real(handle, rest[0][:20], rest[1])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        for _ in range(2):
            with pytest.raises(NotSavedError, match=r"cannot write .*No space left"):
                recommender.keep_item("b", new_item)
    assert log.read_bytes() == before and added(recommender) == ["a"] and len(recommender) == 301
    recommender.keep_item("b", new_item)
    assert added(recommender) == added(reopened()) == ["a", "b"]


def test_the_first_item_is_not_kept_where_the_folder_cannot_be_synced(reopened, log, new_item, monkeypatch):
    recommender = reopened()

    def full(folder):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(journal.durable, "sync_folder", full)
        with pytest.raises(NotSavedError):
            recommender.keep_item("b", new_item)
    assert log.read_bytes() == b"" and added(recommender) == added(reopened()) == []


def test_no_room_to_fold_leaves_the_log(kept, reopened, log, monkeypatch, capsys):
    before = kept("a")

    def full(*_):
        raise InputError("cannot write changes.parquet: No space left on device")

    monkeypatch.setattr(journal.tables, "write_changes", full)
    with reopened(writing=True) as recommender:
        assert added(recommender) == ["a"]
    assert (
        log.read_bytes() == before and "the journal of added items stays as it is" in capsys.readouterr().out
    )


def test_searches_go_on_while_an_item_is_written(reopened, new_item, monkeypatch):
    recommender, writing, go_on = reopened(), Event(), Event()
    real = recommender._journal.append

    def slow(changes):
        writing.set()
        assert go_on.wait(30)
        real(changes)

    monkeypatch.setattr(recommender._journal, "append", slow)
    adding = Thread(target=recommender.keep_item, args=("new", new_item))
    adding.start()
    assert writing.wait(30)
    assert "new" not in recommender.recommend("u1", k=1000).items, "not before it is on the disk"
    go_on.set()
    adding.join()
    assert "new" in recommender.recommend("u1", k=1000).items


def test_a_bundle_has_one_writer(reopened, new_item, folder):
    with reopened(writing=True) as first:
        with pytest.raises(InputError, match=r"another service writes to .*--read-only"):
            reopened(writing=True)
        reader = reopened()
        reader.add_item("mine", new_item)
        with pytest.raises(InputError, match="another service writes to"):
            reader.save()
        first.keep_item("a", new_item)
    with reopened(writing=True) as second:
        assert added(second) == ["a"]


def test_saving_refuses_where_another_process_saved(reopened, new_item):
    one, other = reopened(), reopened()
    one.add_item("a", new_item)
    one.save()
    other.add_item("b", new_item)
    with pytest.raises(ChangedError, match="was changed by another process since it was opened"):
        other.save()
    assert added(reopened()) == ["a"]


def test_a_bundle_built_anew_is_not_spoiled(reopened, new_item, folder, toy_run, toy_model, dataset):
    recommender = reopened()
    recommender.keep_item("a", new_item)
    bundle.write(toy_run(1), dataset, folder, "flat", toy_model)
    with pytest.raises(ChangedError):
        recommender.keep_item("b", new_item)
    assert added(reopened()) == []


def test_a_bundle_is_not_built_anew_under_its_writer(reopened, folder, toy_run, toy_model, dataset):
    with reopened(writing=True):
        with pytest.raises(
            InputError, match=r"a service answers from .*: give another --out, or stop it first"
        ):
            bundle.write(toy_run(0), dataset, folder, "flat", toy_model, replace=True)
    assert bundle.write(toy_run(0), dataset, folder, "hnsw", toy_model, replace=True).kind == "hnsw"


def test_a_bundle_is_replaced_only_when_that_is_said(folder, toy_run, toy_model, dataset):
    with pytest.raises(InputError, match="holds a bundle already: give another --out, or --replace"):
        bundle.write(toy_run(0), dataset, folder, "hnsw", toy_model, replace=False)
    assert bundle.read(folder, toy_model).about.kind == "flat"


def test_the_command_tells_it_before_it_reads_the_run(folder, capsys, tmp_path):
    line = ["index", "--run", str(tmp_path / "none"), "--out", str(folder)]
    assert main(line) == 2 and "holds a bundle already" in capsys.readouterr().err
    assert main([*line, "--replace"]) == 2 and "is no run" in capsys.readouterr().err


def test_several_runs_are_told(capsys, tmp_path):
    line = ["index", "--run", "runs/infonce-a", "runs/infonce-b", "--out", str(tmp_path / "out")]
    assert main(line) == 2
    told = capsys.readouterr().err
    assert "--run takes one folder and got 2" in told and "runs/infonce-a, runs/infonce-b" in told
