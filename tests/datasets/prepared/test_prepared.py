"""A log sorted and split within a limit of memory is the dataset that it is in memory, bit for bit."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets import Categorical, Dataset, Features
from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.log import SUM, Log
from retrieval_leaderboard.datasets.prepared import sorting
from retrieval_leaderboard.datasets.prepared.dataset_folder import divided
from retrieval_leaderboard.datasets.prepared.log_folder import prepared
from retrieval_leaderboard.datasets.profiling import with_profile
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.mapped import Mapped
from tests.datasets.prepared.sources import source

pytest.importorskip("duckdb")
LIMIT = 2**28
KINDS = {
    "numbers": {},
    "text": {"text": True},
    "nanoseconds": {"nanoseconds": True},
    "ratings": {"rated": True, "text": True},
    "weights": {"weighted": True},
    "targets": {"targeted": True},
    "listed": {"listed_items": np.array([-900, 10**9, 4])},
    "own periods": {"periods": (1_600_000_100, 1_600_000_150)},
}


def by_user(chunked: ChunkedLog, folder: Path, rows: int = 200) -> Log:
    log = prepared(chunked, folder / "log", LIMIT)
    assert log.by_user is not None
    return replace(log, by_user=replace(log.by_user, at_once=rows))


def assert_same(found: Dataset, expected: Dataset) -> None:
    assert found.fingerprint == expected.fingerprint
    content = replace(found)  # Without the fingerprint that the folder told.
    assert "fingerprint" not in vars(content) and content.fingerprint == expected.fingerprint
    for ours, theirs in ((found.train, expected.train), (found.train_valid, expected.train_valid)):
        np.testing.assert_array_equal(ours.last_timestamp, theirs.last_timestamp)
    assert list(found.user_ids) == list(expected.user_ids)
    assert list(found.item_ids) == list(expected.item_ids)
    assert found.heading == expected.heading
    assert (found.candidates, found.carve, found.validation) == (
        expected.candidates,
        expected.carve,
        expected.validation,
    )


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("protocol", ["time", "next-item", "cold-items", "leave-last-one", "random"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_protocol_gives_the_same_dataset(tmp_path, kind, protocol, exclude_seen):
    chunked = source(**KINDS[kind])
    log = chunked.log()
    expected = with_profile(log, split(log, protocol, exclude_seen, 3), "as asked for")
    found = divided(by_user(chunked, tmp_path), protocol, exclude_seen, 3, "as asked for")
    assert_same(found, expected)
    assert found.notes == expected.notes
    assert found.profile is not None
    assert replace(found.profile, memory=0, spilled=0) == expected.profile
    assert found.profile.memory == LIMIT and found.profile.spilled > 0


@pytest.mark.parametrize("rows", [1, 50, 10**6])
@pytest.mark.parametrize("ordered", [True, False])
def test_the_sources_own_test_rows_and_logs_without_times(tmp_path, rows, ordered):
    chunked = source(split=True, timed=False, ordered=ordered)
    for protocol in ("published", "random"):
        expected = split(chunked.log(), protocol, True, 0)
        assert_same(divided(by_user(chunked, tmp_path, rows), protocol, True, 0, ""), expected)


def test_a_source_that_has_lost_the_order_and_has_times(tmp_path):
    chunked = source(ordered=False)
    for protocol in ("time", "next-item", "random"):
        expected = split(chunked.log(), protocol, True, 0)
        assert_same(divided(by_user(chunked, tmp_path), protocol, True, 0, ""), expected)


@pytest.mark.parametrize("protocol", ["next-item", "cold-items", "leave-last-one"])
def test_ties_as_in_the_source_need_no_order_in_memory(tmp_path, protocol):
    expected = split(replace(source().log(), ties="source"), protocol, True, 0)
    found = divided(replace(by_user(source(), tmp_path, rows=20), ties="source"), protocol, True, 0, "")
    assert_same(found, expected)
    assert found.ties == expected.ties == "source"
    assert found.fingerprint != split(source().log(), protocol, True, 0).fingerprint


def test_features_go_with_the_items_of_the_catalog(tmp_path):
    def described(ids: np.ndarray) -> Features:
        codes = np.array([int(raw[-1]) for raw in ids], dtype=np.int32)
        return Features({"end": Categorical(codes, ["unknown", *"123456789"])})

    chunked = source(text=True, describe_items=described, describe_users=described)
    expected = split(chunked.log(), "time", True, 0)
    found = divided(by_user(chunked, tmp_path), "time", True, 0, "")
    assert_same(found, expected)
    assert found.train_valid.item_features is not None


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("protocol", ["time", "next-item", "random"])
def test_repeats_are_summed(tmp_path, protocol, weighted):
    chunked = source(weighted=weighted, targeted=True)
    counted = {"repeats": SUM, "weight_cap": 5.0}
    expected = split(replace(chunked.log(), **counted), protocol, False, 0)
    log = replace(by_user(chunked, tmp_path), **counted)
    assert_same(divided(log, protocol, False, 0, ""), expected)


def test_weights_that_are_all_one_are_none(tmp_path):
    chunked = source(300, weighted=True)
    ones = [replace(each, weight=np.ones(len(each), np.float32)) for each in chunked.chunks()]
    log = by_user(replace(chunked, chunks=lambda: iter(ones)), tmp_path)
    for _ in ("made", "read again"):
        assert divided(log, "time", True, 0, "").train.weight is None


def test_a_block_of_all_users_is_refused(tmp_path):
    log = replace(by_user(source(split=True), tmp_path), carve="as-test")
    with pytest.raises(InputError, match=r"as-test.*leave --memory out"):
        divided(log, "published", True, 0, "")


def test_the_arrays_are_maps_and_a_process_is_handed_paths(tmp_path):
    chunked = source(20_000)
    found = divided(by_user(chunked, tmp_path), "time", True, 0, "")
    assert isinstance(found.train.item, Mapped) and isinstance(found.test.history.values, Mapped)
    assert found.test.history.values is found.train_valid.item, "histories share the table"
    handed = pickle.dumps(found)
    assert len(handed) < 20_000
    assert_same(pickle.loads(handed), split(chunked.log(), "time", True, 0))


def test_a_rerun_reads_nothing_and_a_damaged_folder_is_made_again(tmp_path, capsys):
    read = []
    chunked = source()

    def chunks():
        read.append(1)
        return chunked.chunks()

    counting = replace(chunked, chunks=chunks)

    def made() -> Dataset:
        return divided(prepared(counting, tmp_path / "log", LIMIT), "time", True, 0, "")

    expected = split(chunked.log(), "time", True, 0)
    assert_same(made(), expected)
    assert_same(made(), expected)
    assert len(read) == 1
    item = np.load(tmp_path / "log" / "item.npy")
    item[5] += 1
    np.save(tmp_path / "log" / "item.npy", item)
    (folder,) = tmp_path.glob("log-time-*")
    (folder / "test.user.npy").unlink()
    capsys.readouterr()
    assert_same(made(), expected)
    assert len(read) == 2
    said = capsys.readouterr().out
    assert "item.npy is not the file that was written" in said and "test.user.npy" in said


def test_a_copied_folder_is_as_good(tmp_path):
    found = divided(by_user(source(), tmp_path), "time", True, 0, "")
    for path in tmp_path.rglob("*.npy"):
        path.touch()
    assert divided(by_user(source(), tmp_path), "time", True, 0, "").fingerprint == found.fingerprint


@pytest.mark.parametrize("at", ["chunks", "sorting"])
def test_what_is_interrupted_leaves_nothing(tmp_path, monkeypatch, at):
    chunked = source()

    def chunks():
        yield next(iter(chunked.chunks()))
        raise KeyboardInterrupt

    def stopped(*_):
        raise KeyboardInterrupt

    if at == "sorting":
        monkeypatch.setattr(sorting, "bytes_of", stopped)
    broken = replace(chunked, chunks=chunks) if at == "chunks" else chunked
    with pytest.raises(KeyboardInterrupt):
        prepared(broken, tmp_path / "cache" / "log", LIMIT)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_what_a_killed_command_left_is_removed(tmp_path):
    left = tmp_path / ".tmp-12345678"
    (left / "scratch").mkdir(parents=True)
    (left / "scratch" / "rows.duckdb").write_bytes(b"half")
    prepared(source(), tmp_path / "log", LIMIT)
    assert not left.exists() and not (tmp_path / "log" / "scratch").exists()


def test_an_order_of_more_rows_than_the_limit_holds_is_refused(tmp_path):
    log = by_user(source(), tmp_path, rows=20)
    with pytest.raises(InputError, match=r"3,000 rows; give --memory 1MB or more, --ties source, or"):
        divided(log, "next-item", True, 0, "")
    divided(log, "time", True, 0, "")


def test_too_little_memory_and_no_row_are_refused(tmp_path):
    with pytest.raises(InputError, match="give at least 269MB"):
        prepared(source(), tmp_path / "log", 2**20)
    empty = ChunkedLog("any", lambda: iter([]))
    with pytest.raises(InputError, match="no interaction"):
        prepared(empty, tmp_path / "log", LIMIT)


def test_text_ids_across_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "AT_ONCE", 2048)
    names = pa.array([f"ü{number}" for number in range(5000)])
    chunked = ChunkedLog("any", lambda: iter([Chunk(names, names)]))
    log = prepared(chunked, tmp_path / "log", LIMIT)
    assert list(log.user_ids) == sorted(names.to_pylist())
    assert log.user_ids[4999] == sorted(names.to_pylist())[-1]
