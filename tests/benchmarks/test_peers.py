"""The parts of benchmarks.peers that need no other library."""

import sys

import numpy as np
import pytest

from retrieval_leaderboard.benchmarks.peers import environments, measure, table
from retrieval_leaderboard.benchmarks.peers.record import PeerRecord, write
from retrieval_leaderboard.benchmarks.peers.work import PEERS, WORK
from retrieval_leaderboard.datasets import Dataset, Interactions, Queries, Ragged
from retrieval_leaderboard.support.pages import NOT_MEASURED

COSTS = {"peak_mib": 100.0, "children_mib": 0.0, "recall": 0.2, "ndcg": 0.1, "cores_elsewhere": 0.0}
ABOUT = {"dataset": "gowalla", "work": "als", "processor": "2 cores of X", "date": "2026-01-01"}


def record(library, fit, rank, **more):
    timed = {"fit_seconds": fit, "rank_seconds": rank, "versions": {library: "1.0"}}
    return PeerRecord(**(ABOUT | {"library": library} | timed | COSTS | more))


def dataset(history):
    train = Interactions(np.array([0, 0, 1], np.int32), np.array([2, 0, 1], np.int32), None, 2, 4)
    rows = Ragged.from_rows(history)
    test = Queries(np.array([1, 0], np.int32), rows, rows, Ragged.from_rows([[3, 0], [1]]))
    nobody = test.take(slice(0))
    ids = np.array(["a", "b", "c", "d"], dtype=object)
    return Dataset("tiny", "given", True, 0, train, nobody, train, test, ids[:2], ids)


def test_hand_over_keeps_pairs_and_queries(tmp_path):
    measure.hand_over(dataset([[1], [0, 2]]), tmp_path / "data.npz")
    with np.load(tmp_path / "data.npz") as arrays:
        assert {key: arrays[key].tolist() for key in arrays} == {
            "user": [0, 0, 1],
            "item": [2, 0, 1],
            "offsets": [0, 2, 3],
            "query": [1, 0],
            "test_query": [0, 0, 1],
            "test_item": [3, 0, 1],
            "n_items": 4,
        }


@pytest.mark.parametrize("history", [[[1], [0]], [[1], [0, 3]]])
def test_hand_over_refuses_a_history_that_is_no_training_row(tmp_path, history):
    with pytest.raises(ValueError, match="training row"):
        measure.hand_over(dataset(history), tmp_path / "data.npz")


def test_lists_are_scored_and_wrong_ones_refused():
    data = dataset([[1], [0, 2]])
    places = np.full((2, 20), -1, np.int32)
    places[0, :2], places[1, 0] = [3, 2], 1
    assert measure.scored(places, data)["recall"].tolist() == [0.5, 1.0]
    places[0, 2] = 3
    with pytest.raises(environments.LeftOut, match="twice"):
        measure.scored(places, data)
    places[0, 2] = 1
    with pytest.raises(environments.LeftOut, match="training"):
        measure.scored(places, data)


def test_cores_elsewhere_leave_out_our_own():
    before, after = measure.Usage(10.0, 100.0, 5.0), measure.Usage(20.0, 135.0, 20.0)
    assert after.cores_elsewhere(before) == 2.0


def test_a_failed_command_is_left_out_with_its_last_line():
    with pytest.raises(environments.LeftOut, match="ValueError: no wheel"):
        environments.called([sys.executable, "-c", "raise ValueError('no wheel')"], 60)
    with pytest.raises(environments.LeftOut, match="stopped after 1 s"):
        environments.called([sys.executable, "-c", "import time; time.sleep(30)"], 1)


def test_a_killed_process_and_a_silent_one_have_reasons():
    assert "killed by SIGKILL" in environments.reason("ValueError: x", -9)
    assert environments.reason("\n", 3) == "ended with exit code 3"


def test_table_gives_ratios_and_says_who_is_left_out(tmp_path):
    absent = PeerRecord(**ABOUT, library="lenskit", left_out="no wheel")
    records = [record("implicit", 3.0, 1.0, cores_elsewhere=0.6), record("ours", 2.0, 0.25), absent]
    for each in records:
        write(tmp_path, each)
    found = table.tables(tmp_path)
    page = found["als on gowalla"]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if "0.2000" in line
    ]
    assert rows == [
        ["this suite", "2.00", "0.25", "100", "0.2000", "0.1000", "1.0", "1.0"],
        ["implicit*", "3.00", "1.00", "100", "0.2000", "0.1000", "1.5", "4.0"],
    ]
    assert "- LensKit is left out: no wheel" in page
    assert "up to 0.6 cores busy" in page
    assert "implicit 1.0" in found["conditions"]
    assert found["swing on gowalla"] == NOT_MEASURED


def test_every_piece_of_work_names_known_libraries_with_an_adapter():
    for work in WORK.values():
        assert set(work.peers) <= set(PEERS)
    assert all((measure.FOLDER / f"{name}_peer.py").is_file() for name in PEERS)


def test_lists_of_another_quality_are_marked():
    others = [record("ours", 2.0, 0.25), record("implicit", 3.0, 1.0, recall=0.19)]
    assert "implicit gives other lists" in table.remarks(others, WORK["als"])
    assert "other lists" not in table.remarks(others, WORK["bpr"])
