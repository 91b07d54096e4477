"""The exact top-k on the simulated GPU: the CPU's lists, whatever is set for products elsewhere."""

import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.ranking import topk, topk_torch
from retrieval_leaderboard.support import compute
from tests.simulated_gpu.backend import DEVICE, NOTES

RNG = np.random.default_rng(0)


def vectors(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def both(queries, items, exclude, k, monkeypatch):
    """Lists of the GPU and of the CPU."""
    gpu = topk.inner_product(queries, items, exclude, k)
    monkeypatch.setattr(compute, "_current", compute.Compute(1, "cpu"))
    return gpu, topk.inner_product(queries, items, exclude, k)


@pytest.mark.parametrize(("q", "n", "k", "equal"), [
    (50, 300, 20, 0), (50, 300, 400, 0), (30, 500, 10, 400), (5, 3, 10, 0), (0, 10, 5, 0),
    (64, 2000, 20, 1900),
])  # fmt: skip
def test_lists_are_the_cpus(q, n, k, equal, gpu, monkeypatch) -> None:
    queries, items = vectors(q, 8), vectors(n, 8)
    items[RNG.choice(n, equal, replace=False)] = items[0]
    rows = [np.unique(RNG.integers(0, n, RNG.integers(0, 5))).astype(np.int32) for _ in range(q)]
    exclude = Ragged.from_rows(rows) if q else Ragged.empty(0)
    monkeypatch.setattr(topk_torch, "BLOCK_SCORES", 20_000)
    (found, scores), (expected, expected_scores) = both(queries, items, exclude, k, monkeypatch)
    assert np.array_equal(found, expected) and np.array_equal(scores, expected_scores)


def test_tf32_turned_on_elsewhere_changes_no_list(gpu, monkeypatch) -> None:
    """Where a hundred items are almost equal, products in TF32 lose the best ones from the candidates."""
    centers = np.repeat(vectors(20, 64), 100, axis=0)
    items = centers + np.float32(1e-4) * vectors(2000, 64)
    before = torch.backends.cuda.matmul.fp32_precision
    torch.set_float32_matmul_precision("high")
    try:
        gpu_lists, cpu_lists = both(vectors(40, 64), items, Ragged.empty(40), 20, monkeypatch)
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.backends.cuda.matmul.fp32_precision = before
    assert np.array_equal(gpu_lists[0], cpu_lists[0])


def test_a_block_waits_for_copies_and_crowded_rows_alone(gpu, monkeypatch) -> None:
    monkeypatch.setattr(topk_torch, "BLOCK_SCORES", 3000 * 8)
    exclude = Ragged.from_rows([np.arange(3, dtype=np.int32)] * 40)
    queries, items = vectors(40, 8), vectors(300, 8)
    NOTES.clear()
    topk_torch.inner_product(queries, items, exclude, 5, np.full(40, 1e-6, np.float32), DEVICE)
    blocks = NOTES.calls["mm"]
    assert blocks > 1
    waits = {each.split(" topk_torch")[0]: 0 for each in NOTES.waits}
    for each, times in NOTES.waits.items():
        waits[each.split(" topk_torch")[0]] += times
    # The vectors and what is excluded are copied once.
    assert waits == {"copy to the GPU": 3 + 2 * blocks, "nonzero": blocks, "copy from the GPU": 2 * blocks}


def test_the_duration_is_said_after_the_first_block(gpu, capsys, monkeypatch) -> None:
    """By a clock that a product moves by a second for each 10 queries."""
    clock = [0.0]
    product = topk_torch._Excluded.mask

    def mask(self, scores, start):
        clock[0] += len(scores) / 10
        product(self, scores, start)

    monkeypatch.setattr(topk_torch._Excluded, "mask", mask)
    monkeypatch.setattr(topk_torch.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(topk_torch, "BLOCK_SCORES", 3000 * 8)
    topk.inner_product(vectors(1000, 8), vectors(300, 8), Ragged.empty(1000), 5)
    said = [line for line in capsys.readouterr().out.splitlines() if "about" in line]
    title = compute.device().title
    assert len(said) == 1
    assert said[0].startswith(
        f"ranking: about 100 s on {title} for 1,000 queries × 300 items × 8 dimensions; "
    )
