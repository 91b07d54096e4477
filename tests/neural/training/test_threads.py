import pytest
import torch

from retrieval_leaderboard.evaluation.runs.usage import Usage
from retrieval_leaderboard.neural.training import threads
from retrieval_leaderboard.support import compute


@pytest.fixture
def spare(monkeypatch):
    """Threads of a machine of 8 cores on which a process may use 4; what others do is told by `busy`."""
    busy = {"cores": 0.0}
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=4))
    monkeypatch.setattr(threads.cores, "affinity", lambda: 8)
    monkeypatch.setattr(Usage, "cores_elsewhere", lambda self, before: busy["cores"])
    monkeypatch.setattr(threads.Spare, "SECONDS", 0.0)
    before = torch.get_num_threads()
    yield threads.Spare(), busy
    torch.set_num_threads(before)


@pytest.mark.parametrize(("elsewhere", "expected"), [(0.2, 4), (4.4, 4), (5.0, 3), (7.9, 1), (30.0, 1)])
def test_threads_are_no_more_than_others_leave_cores_for(spare, elsewhere, expected):
    mine, busy = spare
    busy["cores"] = elsewhere
    mine.adapt()
    assert torch.get_num_threads() == expected
    busy["cores"] = 0.0
    mine.adapt()
    assert torch.get_num_threads() == 4, "as before, once the others are done"


def test_one_thread_looks_at_nothing(spare, monkeypatch):
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=1))
    mine = threads.Spare()
    monkeypatch.setattr(Usage, "now", lambda: pytest.fail("there is nothing to adapt"))
    mine.adapt()
    assert torch.get_num_threads() == 1
