"""Arrays in files: they grow, are mapped, and are handed over as places."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from retrieval_leaderboard.support.storage.mapped import (
    Mapped,
    blocks,
    counts,
    growing,
    loaded,
    open_array,
    sums,
)


@pytest.fixture
def array(tmp_path):
    with growing(tmp_path) as arrays:
        for start in range(0, 5000, 1000):
            assert arrays.append("a", np.arange(start, start + 1000, dtype=np.int32)) == start
    return open_array(tmp_path / "a.npy")


def test_what_was_appended_is_an_array_that_numpy_reads_too(array, tmp_path):
    assert isinstance(array, Mapped)
    assert array.tolist() == np.load(tmp_path / "a.npy").tolist() == list(range(5000))


@pytest.mark.parametrize("part", [slice(None), slice(1234, 1300), slice(4999, None), slice(3, 3)])
def test_a_part_is_pickled_as_a_place(array, part):
    handed = pickle.dumps(array[part])
    assert len(handed) < 300
    again = pickle.loads(handed)
    assert again.dtype == np.int32 and again.tolist() == array[part].tolist()
    assert pickle.loads(pickle.dumps(again[1:2])).tolist() == array[part][1:2].tolist()


def test_what_is_no_part_of_the_file_is_pickled_whole(array):
    for found in (array[::2], array[[5, 7]], array + 1, array[array > 4990], array.astype(np.int64)):
        again = pickle.loads(pickle.dumps(found))
        assert type(again) is np.ndarray and again.tolist() == found.tolist()
    assert type(array + 1) is type(array[[5, 7]]) is np.ndarray


def test_it_can_be_written_to_and_the_file_stays(array, tmp_path):
    array[0] = 9
    assert array[0] == 9 and open_array(tmp_path / "a.npy")[0] == 0


def test_an_array_without_values(tmp_path):
    with growing(tmp_path) as arrays:
        arrays.append("none", np.empty(0, np.int64))
    found = open_array(tmp_path / "none.npy")
    assert found.dtype == np.int64 and len(found) == 0


def test_a_file_that_is_cut_short_is_refused(array, tmp_path):
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:500])
    with pytest.raises(ValueError):
        open_array(tmp_path / "a.npy")


def test_parts_can_be_loaded(array):
    assert type(loaded(array[7:9])) is np.ndarray
    assert loaded(array[7:9]).tolist() == [7, 8]
    assert loaded(np.array([1])).tolist() == [1]


def test_codes_are_counted_by_blocks(monkeypatch):
    monkeypatch.setattr("retrieval_leaderboard.support.storage.mapped.CHUNK", 3)
    codes = np.array([0, 5, 5, 2, 0, 0, 1], dtype=np.int32)
    assert counts(codes, 8).tolist() == np.bincount(codes, minlength=8).tolist()
    weight = np.random.default_rng(0).random(7, dtype=np.float32)
    found = sums(codes, lambda part: weight[part], 8)
    assert found.tolist() == np.bincount(codes, weight, 8).tolist()
    assert [range(7)[each] for each in blocks(7, 3)] == [range(0, 3), range(3, 6), range(6, 7)]
