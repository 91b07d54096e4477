"""The GPU's benchmark on the simulated GPU: the calls that only a GPU gets are made too."""

import json
import warnings

import pytest
import torch

from retrieval_leaderboard.benchmarks.gpu import __main__ as gpu
from retrieval_leaderboard.benchmarks.gpu import work
from retrieval_leaderboard.benchmarks.gpu.page import table
from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.support import compute
from tests.simulated_gpu import backend


class Event:
    """As `torch.cuda.Event`."""

    def __init__(self, enable_timing: bool = False) -> None:
        self.timing = enable_timing

    def record(self) -> None:
        pass

    def elapsed_time(self, end: "Event") -> float:
        assert self.timing and end.timing
        return 1.0


@pytest.fixture
def cuda(gpu, monkeypatch):
    """What the benchmark asks of `torch.cuda`, answered by the GPU."""
    monkeypatch.setattr(compute.os, "environ", dict(compute.os.environ))
    monkeypatch.setattr(isolation, "call", lambda function, *words: function(*words))
    monkeypatch.setattr(torch.cuda, "Event", Event)
    for name in ("synchronize", "empty_cache"):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", backend.NOTES.clear)
    profile, kinds = torch.profiler.profile, torch.profiler.ProfilerActivity
    # This PyTorch can profile the CPU alone; the answers have the same form.
    monkeypatch.setattr(torch.profiler, "profile", lambda activities: profile(activities=[kinds.CPU]))
    wait = backend.NOTES.wait

    def warn(what: str) -> None:
        warnings.warn(f"called a synchronizing CUDA operation: {what}", stacklevel=1)

    def set_mode(mode: str) -> None:
        monkeypatch.setattr(backend.NOTES, "wait", {"warn": warn, "default": wait}[mode])

    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", set_mode)


@pytest.mark.slow
def test_every_part_runs_on_the_gpu(cuda, monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setattr(work, "MODELS", dict(list(work.MODELS.items())[:1]))
    files = tmp_path / "gpu.json", tmp_path / "gpu.md"
    words = ["--device", backend.NAME, "--small", "--record", str(files[0]), "--out", str(files[1])]
    assert gpu.main(words) == 0
    record = json.loads(files[0].read_text())
    assert record["failed"] == {} and record["machine"]["name"] == "a simulated GPU"
    for part in ("training", "aliec_training"):
        assert {run["precision"] for run in record[part]} == set(work.PRECISIONS)
        assert all(run["peak_mib"] > 0 for run in record[part])
    assert [run["same"] for run in record["deterministic"]] == [True]
    assert torch.are_deterministic_algorithms_enabled()
    (step,) = record["steps"]
    assert step["waits"] == {} and step["calls"] > 100
    assert record["topk"]["peak_mib"] > 0
    assert "where a step waits for the GPU" in table(record)


def test_its_waits_are_those_of_the_gpu(cuda) -> None:
    from retrieval_leaderboard.benchmarks.gpu import clocks

    numbers = torch.ones(3, device=backend.DEVICE)
    assert sum(clocks.waits(lambda: numbers.sum().item()).values()) == 1
    assert clocks.waits(lambda: numbers + 1) == {}
