"""Compiled scores and lengths beside PyTorch's."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from retrieval_leaderboard.neural.training import scores, unit_length
from retrieval_leaderboard.support import compute


@pytest.mark.parametrize("threads", [1, 3])
def test_scores_and_gradients_are_those_of_tensor_operations(threads, monkeypatch) -> None:
    """Also where a masked score has a gradient."""
    monkeypatch.setattr(compute, "_current", compute.Compute(threads))
    hits = torch.tensor([0, 2]), torch.tensor([1, 0])
    batch = SimpleNamespace(
        row=torch.tensor([0, 0, 1, 2, 2]), target=torch.tensor([1, 4, 3, 3, 0]),
        unused=torch.zeros(3, dtype=torch.bool), hit_row=hits[0], hit_negative=hits[1],
        masked=lambda score, value: score.index_put(hits, torch.tensor(value)),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    parts = torch.randn(3, 4, generator=generator), torch.randn(5, 4, generator=generator)
    goals = torch.randn(5, generator=generator), torch.randn(3, 3, generator=generator)

    def found() -> list[Tensor]:
        leaves = [each.clone().requires_grad_() for each in parts]
        units = [unit_length.unit_length(each) for each in leaves]
        values = scores.scores(*units, batch)
        sum((each * goal).sum() for each, goal in zip(values, goals, strict=True)).backward()
        return [*(each.detach() for each in values), *(each.grad for each in leaves)]

    compiled = found()
    for module in (scores, unit_length):
        monkeypatch.setattr(module, "fuses", lambda values: False)
    for ours, theirs in zip(compiled, found(), strict=True):
        assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_zero_vectors_stay_zero() -> None:
    zeros = torch.zeros(2, 3, requires_grad=True)
    units = unit_length.unit_length(zeros)
    units.sum().backward()
    assert not units.any() and zeros.grad is not None and torch.isfinite(zeros.grad).all()
