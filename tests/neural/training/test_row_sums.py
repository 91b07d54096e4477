"""Compiled sums over rows beside PyTorch's."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from retrieval_leaderboard.neural.training import row_sums
from retrieval_leaderboard.support import compute

MASK = -65504.0


def sums(name: str, score: Tensor, bias: Tensor, log_q: Tensor) -> Tensor:
    if name == "hinge":
        return row_sums.hinge_sums(score, 0.2)
    if name == "softplus":
        return row_sums.softplus_sums(score, 0.1, bias)
    return row_sums.log_sum_exp(score, 0.1, log_q if name == "corrected" else None)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("m", [1, 16, 37])
@pytest.mark.parametrize("name", ["hinge", "softplus", "plain", "corrected"])
def test_sums_and_gradients_are_those_of_tensor_operations(name, m, threads, monkeypatch) -> None:
    monkeypatch.setattr(compute, "_current", compute.Compute(threads))
    generator = torch.Generator().manual_seed(0)
    score = torch.rand(7, m, generator=generator) * 2 - 1
    score[2, : m // 2] = MASK
    goal, log_q = torch.randn(7, generator=generator), -5 * torch.rand(m, generator=generator)

    def found() -> list[Tensor]:
        leaves = score.clone().requires_grad_(), torch.randn(7, generator=generator.manual_seed(1))
        leaves[1].requires_grad_()
        values = sums(name, *leaves, log_q)
        (values * goal).sum().backward()
        return [values.detach(), *(each.grad for each in leaves if each.grad is not None)]

    compiled = found()
    monkeypatch.setattr(row_sums, "fuses", lambda values: False)
    plain = found()
    assert len(compiled) == len(plain) == (3 if name == "softplus" else 2)
    for ours, theirs in zip(compiled, plain, strict=True):
        assert_close(ours, theirs, rtol=3e-6, atol=1e-6)


def test_a_row_of_masked_scores_has_finite_sums() -> None:
    score = torch.full((1, 20), MASK, requires_grad=True)
    total = row_sums.log_sum_exp(score, 0.05) + row_sums.softplus_sums(score, 0.05, torch.zeros(1))
    total.sum().backward()
    assert torch.isfinite(total).all() and score.grad is not None and torch.isfinite(score.grad).all()


@pytest.mark.parametrize("exponent", [-30.0, -10.0, -1.0, 1.0, 30.0])
def test_a_small_softplus_is_exact_in_its_own_size(exponent) -> None:
    score = torch.full((1, 3), exponent)
    exact = 3 * torch.nn.functional.softplus(torch.tensor([exponent], dtype=torch.float64))
    assert_close(row_sums.softplus_sums(score, 1.0, torch.zeros(1)).double(), exact, rtol=1e-6, atol=0)


@pytest.mark.parametrize("kind", ["log_sum_exp", "softplus_sums"])
def test_a_masked_score_has_no_slope_at_all(kind):
    score = torch.randn(3, 40)
    score[1, 7] = MASK
    score.requires_grad_()
    if kind == "log_sum_exp":
        row_sums.log_sum_exp(score, 0.1).sum().backward()
    else:
        row_sums.softplus_sums(score, 0.1, torch.zeros(3)).sum().backward()
    assert score.grad[1, 7] == 0 and (score.grad != 0).sum() > 60
