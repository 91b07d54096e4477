"""What several processes read lies in one file, and is mapped."""

from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_array

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.engines.packing import pack, unpack
from retrieval_leaderboard.support.storage.mapped import open_array
from tests.evaluation.engines.sample_kernels import sums


@pytest.fixture
def packed(tmp_path):
    def again(thing, here=True):
        pack(tmp_path / "shared", thing, here)
        return unpack(tmp_path / "shared")

    return again


def test_arrays_come_back_wherever_they_are(packed):
    rows = Ragged.from_rows([[3, 1], [], [2]])
    matrix = csr_array(np.eye(3, dtype=np.float32))
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    kernel, found = packed(
        (partial(sums, factor=2), {"rows": rows, "all": (matrix, columns, None, np.empty(0))})
    )
    assert kernel({"numbers": np.arange(3)}, 0, 3) == 6
    assert [row.tolist() for row in (found["rows"][at] for at in range(3))] == [[3, 1], [], [2]]
    there, second, nothing, empty = found["all"]
    np.testing.assert_array_equal(there.toarray(), np.eye(3))
    np.testing.assert_array_equal(second, columns)
    assert second.flags.f_contiguous
    assert nothing is None
    assert empty.shape == (0,)
    assert type(second) is np.ndarray


@pytest.mark.parametrize("strided", [np.arange(10)[::3], np.arange(12).reshape(3, 4)[:, 1:3]])
def test_parts_of_arrays_come_back(packed, strided):
    np.testing.assert_array_equal(packed(strided), strided)


def test_an_array_that_stands_twice_is_written_once(packed, tmp_path):
    numbers = np.arange(10_000)
    rows = Ragged.from_offsets(numbers.astype(np.int32), np.arange(10_001))
    packed([numbers, numbers, rows.values, rows.values[:]])
    assert (tmp_path / "shared").stat().st_size < numbers.nbytes * 1.5 + 1000


def test_what_a_process_writes_stays_with_it(packed, tmp_path):
    found = packed({"numbers": np.zeros(4)})
    found["numbers"][0] = 1
    assert unpack(tmp_path / "shared")["numbers"][0] == 0


@pytest.mark.parametrize("here", [True, False])
def test_maps_of_files_are_copied_only_for_other_machines(packed, tmp_path, here):
    np.save(tmp_path / "numbers.npy", np.arange(100_000))
    found = packed(open_array(tmp_path / "numbers.npy"), here)
    np.testing.assert_array_equal(found, np.arange(100_000))
    assert ((tmp_path / "shared").stat().st_size < 1000) == here
