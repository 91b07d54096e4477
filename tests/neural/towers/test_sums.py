import pytest
import torch

from retrieval_leaderboard.neural.towers.sums import plain_sums, weighted_sums
from retrieval_leaderboard.support import compute


@pytest.mark.parametrize("threads", [1, 3])
def test_the_gradient_is_that_of_the_plain_operation(threads, monkeypatch) -> None:
    monkeypatch.setattr(compute, "_current", compute.Compute(threads))
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(7, 5, generator=generator, requires_grad=True)
    place, weight = torch.randint(7, (20,), generator=generator), torch.rand(20, generator=generator)
    offsets = torch.tensor([0, 4, 4, 13, 20])
    goal = torch.randn(4, 5, generator=generator)
    found = [
        torch.autograd.grad((sums(vectors, place, weight, offsets) * goal).sum(), vectors)[0]
        for sums in (weighted_sums, plain_sums)
    ]
    torch.testing.assert_close(*found)


def test_weights_that_are_learned_have_a_gradient() -> None:
    weight = torch.ones(3, requires_grad=True)
    place, offsets = torch.tensor([0, 1, 1]), torch.tensor([0, 2, 3])
    weighted_sums(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), place, weight, offsets).sum().backward()
    assert weight.grad is not None and weight.grad.tolist() == [3.0, 7.0, 7.0]
