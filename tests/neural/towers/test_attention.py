"""The compiled attention beside PyTorch's."""

import pytest
import torch
from torch.testing import assert_close

from retrieval_leaderboard.neural.towers import attention
from retrieval_leaderboard.neural.towers.history import QueryBatch
from retrieval_leaderboard.support import compute

LENGTHS = torch.tensor([3, 0, 1, 9, 6, 20])


def attended(longest: int) -> list[torch.Tensor]:
    """What the rows with a history get, and the gradients of query, items and positions."""
    generator = torch.Generator().manual_seed(0)
    stop = LENGTHS.cumsum(0)
    place = torch.randint(7, (int(stop[-1]),), generator=generator)  # Most vectors stand in several rows.
    queries = QueryBatch.of(torch.arange(len(LENGTHS)), place, stop - LENGTHS, stop)
    query, items, position, goal = (
        torch.randn(shape, generator=generator)
        for shape in ((len(LENGTHS), 3, 5), (7, 5), (longest, 5), (len(LENGTHS), 3, 5))
    )
    leaves = [each.requires_grad_() for each in (query, items, position)]
    found = attention.attend(*leaves, place, queries) * queries.has_history.view(-1, 1, 1)
    return [found.detach(), *torch.autograd.grad((found * goal).sum(), leaves)]


@pytest.mark.parametrize("longest", [4, 30])
@pytest.mark.parametrize("threads", [1, 3])
def test_attention_and_its_gradients_are_those_of_tensor_operations(threads, longest, monkeypatch) -> None:
    monkeypatch.setattr(compute, "_current", compute.Compute(threads))
    compiled = attended(longest)
    monkeypatch.setattr(attention, "fuses", lambda values: False)
    for ours, theirs in zip(compiled, attended(longest), strict=True):
        assert_close(ours, theirs, rtol=3e-6, atol=1e-6)


def test_the_number_of_threads_does_not_show(monkeypatch) -> None:
    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(compute, "_current", compute.Compute(threads))
        found.append(attended(8))
    for other in found[1:]:
        assert all(torch.equal(one, two) for one, two in zip(found[0], other, strict=True))


def test_a_sharp_query_takes_one_item() -> None:
    items = torch.eye(4)
    queries = QueryBatch.of(
        torch.zeros(1, dtype=torch.int64), torch.arange(4), torch.tensor([0]), torch.tensor([4])
    )
    found = attention.attend(1e4 * items[2].view(1, 1, 4), items, torch.zeros(3, 4), queries.history, queries)
    assert_close(found[0, 0], items[2])
