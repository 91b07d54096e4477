"""Arrays of a safetensors file as they lie in it."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from retrieval_leaderboard.support.storage import mapped_tensors


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "table": rng.normal(size=(7, 3)).astype(np.float32),
        "half": rng.normal(size=5).astype(np.float16),
        "double": rng.normal(size=(2, 1, 2)),
        "flags": rng.random(3) > 0.5,
        "codes": rng.integers(0, 9, 11).astype(np.uint8),
        "long": rng.integers(-9, 9, 4),
        "none": np.empty((0, 4), np.int16),
        "one": np.array(3, np.uint32),
    }
    save_file(arrays, tmp_path / "weights.safetensors", {"said": "something"})
    return tmp_path / "weights.safetensors"


def test_they_are_what_the_library_reads(file):
    expected, found = load_file(file), mapped_tensors.load(file)
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert array.dtype == expected[name].dtype and np.array_equal(array, expected[name]), name
        assert array.shape == expected[name].shape and array.flags.aligned and type(array) is np.ndarray


def test_they_lie_in_the_file_and_leave_it_as_it_is(file):
    before, table = file.read_bytes(), mapped_tensors.load(file)["table"]
    base = table
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    table += 1
    assert file.read_bytes() == before and not np.array_equal(table, load_file(file)["table"])


@pytest.mark.parametrize("left", [0, 4, 100, -1])
def test_a_file_that_is_cut_short_is_refused(file, left):
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(ValueError, match=r"."):
        mapped_tensors.load(file)
