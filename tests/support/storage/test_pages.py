"""Arrays that processes share through files named after their content."""

import os

import numpy as np
import pytest

from retrieval_leaderboard.support.errors import UnwritableError
from retrieval_leaderboard.support.storage import pages


@pytest.fixture
def large():
    return np.random.default_rng(0).normal(size=(300, 64)).astype(np.float32)


def files(folder):
    return sorted(folder.glob("*.npy"))


def base(array):
    while array.base is not None and not isinstance(array, np.memmap):
        array = array.base
    return array


def test_equal_arrays_lie_in_one_file_and_others_in_others(large, tmp_path):
    with pages.shared_in(tmp_path):
        found = [pages.shared(each) for each in (large, large.copy(), large[::-1], large.reshape(64, 300))]
        as_integers = pages.shared(large.view(np.int32))
    assert len(files(tmp_path)) == 4 and isinstance(base(found[0]), np.memmap)
    assert base(found[0]).filename == base(found[1]).filename and type(found[0]) is np.ndarray
    for array, expected in zip(found, (large, large, large[::-1], large.reshape(64, 300)), strict=True):
        assert np.array_equal(array, expected) and array.flags.writeable
    assert as_integers.dtype == np.int32 and np.array_equal(as_integers, large.view(np.int32))
    found[0][:] = 0
    assert np.array_equal(found[1], large), "what is written stays in its process"


def test_nothing_is_shared_outside_or_where_it_is_small(large, tmp_path, monkeypatch):
    assert pages.shared(large) is large and not pages.are_shared()
    with pages.shared_in(None):
        assert pages.shared(large) is large and not pages.are_shared()
    with pages.shared_in(tmp_path):
        assert pages.are_shared() and pages.shared(small := large[:9]) is small

        def full(_):
            raise UnwritableError("there is no room")

        monkeypatch.setattr(pages, "atomic_file", full)
        assert pages.shared(large) is large
    assert files(tmp_path) == []


def test_what_nobody_asked_for_lately_is_removed(large, tmp_path):
    with pages.shared_in(tmp_path):
        old, used = pages.shared(large), pages.shared(large + 1)
    for file in files(tmp_path):
        os.utime(file, (0, 0))
    with pages.shared_in(tmp_path):
        assert np.array_equal(pages.shared(large + 1), used)
    assert len(files(tmp_path)) == 1 and np.array_equal(old, large), "it stays mapped"


def test_what_another_process_removes_meanwhile_is_no_error(large, tmp_path, monkeypatch):
    with pages.shared_in(tmp_path):
        pages.shared(large)
    (file,) = files(tmp_path)
    glob, utime = type(tmp_path).glob, os.utime

    def gone(*given):
        file.unlink(missing_ok=True)
        return utime(*given)

    monkeypatch.setattr(type(tmp_path), "glob", lambda *given: [*glob(*given), tmp_path / "gone.npy"])
    with pages.shared_in(tmp_path):
        monkeypatch.setattr(os, "utime", gone)
        assert pages.shared(large) is large
