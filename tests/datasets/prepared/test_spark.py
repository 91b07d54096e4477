"""A log that Spark sorts and splits is the dataset that it is in memory and by DuckDB, order included."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.datasets.chunks import ChunkedLog
from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.prepared import dataset_folder, loading, log_folder
from retrieval_leaderboard.datasets.prepared.dataset_folder import divided
from retrieval_leaderboard.datasets.prepared.log_folder import prepared
from retrieval_leaderboard.datasets.prepared.spark import sorting
from retrieval_leaderboard.datasets.profiling import with_profile
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.prepared.sources import source
from tests.datasets.prepared.test_derived import frame

LIMIT = 2**28


@pytest.fixture(scope="module")
def chunked() -> ChunkedLog:
    """Texts that repeat, with ties in time, all that a row may have, and listed items."""
    listed = pa.array(["z1", "never taken", ""])
    return source(
        text=True, nanoseconds=True, rated=True, weighted=True, targeted=True, split=True, listed_items=listed
    )


@pytest.fixture(scope="module")
def folder(spark, chunked, tmp_path_factory) -> Path:
    """What Spark sorted, in several buckets, and what DuckDB did."""
    folder = tmp_path_factory.mktemp("sorted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "BUCKET_ROWS", 400)
        patch.setattr(sorting, "AT_ONCE", 250)
        prepared(chunked, folder / "log", LIMIT, sorting.sort)
    return folder


def assert_same_arrays(found: Dataset, expected: Dataset) -> None:
    assert found.fingerprint == expected.fingerprint
    for name in ("train", "train_valid", "valid", "test"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        for each in fields(Interactions if isinstance(ours, Interactions) else Queries):
            one, other = getattr(ours, each.name), getattr(theirs, each.name)
            if isinstance(one, np.ndarray):
                assert one.dtype == other.dtype, each.name
                np.testing.assert_array_equal(one, other, f"{name}.{each.name}")
    assert list(found.user_ids) == list(expected.user_ids)
    assert list(found.item_ids) == list(expected.item_ids)


def test_sorted_arrays_are_those_of_duckdb_byte_for_byte(folder, chunked):
    pytest.importorskip("duckdb")
    prepared(chunked, folder / "duckdb", LIMIT)
    names = {path.name for path in (folder / "duckdb").iterdir()}
    assert {path.name for path in (folder / "log").iterdir()} == names
    for name in names - {"manifest.json"}:
        ours, theirs = ((folder / engine / name).read_bytes() for engine in ("log", "duckdb"))
        assert ours == theirs, name


@pytest.mark.parametrize(
    ("protocol", "ties"), [*((name, "random") for name in PROTOCOLS), ("next-item", "source")]
)
def test_every_protocol_gives_the_same_arrays(folder, chunked, protocol, ties):
    log = replace(chunked.log(), ties=ties)
    expected = with_profile(log, split(log, protocol, True, 3), "")
    log = prepared(chunked, folder / "log", LIMIT, sorting.sort)
    log = replace(log, by_user=replace(log.by_user, at_once=700), ties=ties)
    found = divided(log, protocol, True, 3, "", on_spark=True)
    assert_same_arrays(found, expected)
    assert found.notes == expected.notes
    assert replace(found.profile, spilled=0) == expected.profile
    assert not list(folder.rglob("parts"))


def test_what_a_task_refuses_is_one_sentence(folder, chunked):
    log = replace(prepared(chunked, folder / "log", LIMIT, sorting.sort), carve="as-test")
    with pytest.raises(InputError, match=r"any: --carve as-test looks at all users .* leave --memory out$"):
        divided(log, "published", True, 0, "", on_spark=True)


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))
    frame().to_csv(tmp_path / "log.csv", index=False)
    return tmp_path / "log.csv"


def test_an_own_log_with_filters_events_and_weights(spark, own, monkeypatch):
    said = {"events": "view=1,cart=3,buy=5", "target": "buy", "k_core": 4, "repeats": "sum", "weight_cap": 9}
    expected = load(own, protocol="next-item", **said)
    monkeypatch.setattr(log_folder, "ROW_BYTES", 4 * 10**6)
    found = load(own, protocol="next-item", engine="spark", **said)
    assert_same_arrays(found, expected)
    assert found.heading == expected.heading and found.notes == expected.notes
    assert replace(found.profile, spilled=0) == expected.profile
    # What Spark sorted is found by its path, and nothing is sorted again.
    monkeypatch.setattr(loading, "sort_here", None)
    monkeypatch.setattr(dataset_folder, "dealt", None)
    assert load(own, protocol="next-item", memory=LIMIT, **said).fingerprint == found.fingerprint


def test_real_ratings(spark, data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("RETRIEVAL_CACHE", str(tmp_path / "cache"))
    lines = (data_dir / "ml-100k" / "u.data").read_text().splitlines()[:20_000]
    (tmp_path / "ratings.tsv").write_text("\n".join(["user\titem\trating\ttimestamp", *lines]))
    said = {"protocol": "next-item", "columns": {"rating": "rating"}}
    monkeypatch.setattr(log_folder, "ROW_BYTES", 2**30 // 6_000)
    assert_same_arrays(
        load(tmp_path / "ratings.tsv", engine="spark", **said), load(tmp_path / "ratings.tsv", **said)
    )


def test_what_is_read_whole_stays_in_memory(own):
    frame().to_json(own.with_suffix(".jsonl"), orient="records", lines=True)
    found = load(own.with_suffix(".jsonl"), engine="spark")
    assert found.fingerprint == load(own, protocol="time").fingerprint
    assert not (own.parent / "cache").exists()


def test_an_unknown_engine_is_refused(own):
    with pytest.raises(InputError, match="unknown engine 'sparc': did you mean 'spark'"):
        load(own, engine="sparc")
