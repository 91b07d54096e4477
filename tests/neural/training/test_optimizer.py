import time

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from retrieval_leaderboard.neural.towers.tables import Table
from retrieval_leaderboard.neural.training import optimizer
from retrieval_leaderboard.neural.training.optimizer import RowwiseAdamW
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices.cpu import Cpu


class Tower(nn.Module):
    def __init__(self, rows: int, dim: int = 4) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.table = Table(rows, dim, 0.5, generator)
        self.matrix = nn.Parameter(torch.randn(dim, dim, generator=generator))

    def loss(self, ids: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return ((self.table(ids) @ self.matrix - goal) ** 2).sum()


@pytest.mark.parametrize("low_rate", [False, True])
def test_equals_adamw_where_every_row_is_touched(low_rate) -> None:
    tower = Tower(5)
    # As large an ε as this shows where it stands.
    ours = RowwiseAdamW(tower, lr=0.05, weight_decay=0.1, eps=0.3, low_rate=[tower.matrix] * low_rate)
    table, matrix = nn.Parameter(tower.table.rows.clone()), nn.Parameter(tower.matrix.detach().clone())
    slow = {"params": [matrix], "lr": 0.05 * optimizer.LOW_RATE ** int(low_rate)}
    theirs = torch.optim.AdamW([{"params": [table]}, slow], lr=0.05, weight_decay=0.1, eps=0.3)
    ids = torch.tensor([3, 0, 4, 1, 2, 3, 3])
    goals = torch.randn(20, len(ids), 4, generator=torch.Generator().manual_seed(1))
    for goal in goals:
        tower.loss(ids, goal).backward()
        ours.collect()
        ours.step()
        theirs.zero_grad()
        ((table[ids] @ matrix - goal) ** 2).sum().backward()
        theirs.step()
    assert_close(tower.table.rows, table.detach())
    assert_close(tower.matrix, matrix)


def test_gradients_of_several_leases_are_added() -> None:
    """As of an item that is a target and stands in a history, in one table."""
    twice, once = Tower(5), Tower(5)
    parts, goal = torch.tensor([[3, 0, 3], [4, 3, 0]]), torch.ones(3, 4)
    ours, reference = RowwiseAdamW(twice, lr=0.05), RowwiseAdamW(once, lr=0.05)
    sum(twice.loss(ids, goal) for ids in parts).backward()
    once.loss(parts.flatten(), goal.repeat(2, 1)).backward()
    for each in (ours, reference):
        each.collect()
        each.step()
    assert_close(ours.moments, reference.moments)
    assert_close(twice.table.rows, once.table.rows)


def test_rows_that_are_not_touched_stay_as_they_are() -> None:
    tower = Tower(6)
    before = tower.table.rows.clone()
    optimizer_ = RowwiseAdamW(tower, lr=0.1, weight_decay=0.5)
    tower.loss(torch.tensor([1, 4]), torch.zeros(2, 4)).backward()
    optimizer_.collect()
    optimizer_.step()
    changed = (tower.table.rows != before).any(dim=1)
    assert changed.tolist() == [False, True, False, False, True, False]


def test_a_step_that_overflows_changes_nothing_and_the_next_one_counts_as_the_first() -> None:
    tower, plain = Tower(5), Tower(5)
    ids, goal = torch.tensor([0, 2, 2]), torch.ones(3, 4)
    optimizer_, reference = RowwiseAdamW(tower, lr=0.1), RowwiseAdamW(plain, lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    before = tower.table.rows.clone()
    for loss in (tower.loss(ids, goal) * float("inf"), None):
        scaler.scale(tower.loss(ids, goal) if loss is None else loss).backward()
        optimizer_.collect()
        scaler.unscale_(optimizer_)
        scaler.step(optimizer_)
        scaler.update()
        if loss is not None:
            assert_close(tower.table.rows, before, rtol=0, atol=0)
    plain.loss(ids, goal).backward()
    reference.collect()
    reference.step()
    assert_close(tower.table.rows, plain.table.rows)
    assert_close(tower.matrix, plain.matrix)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_compiled_update_is_that_of_the_tensor_operations(threads, monkeypatch) -> None:
    def trained() -> list[torch.Tensor]:
        tower = Tower(40)
        adam = RowwiseAdamW(tower, lr=0.05, weight_decay=0.1)
        for step in range(10):
            ids = torch.randint(40, (25,), generator=torch.Generator().manual_seed(step))
            tower.loss(ids, torch.ones(25, 4)).backward()
            adam.collect()
            adam.step()
        return [tower.table.rows, *adam.tensors().values()]

    monkeypatch.setattr(compute, "_current", compute.Compute(threads))
    compiled = trained()
    monkeypatch.setattr(Cpu, "asynchronous", True)
    assert_close(compiled, trained())


def test_a_step_costs_the_same_whatever_the_number_of_rows() -> None:
    def seconds(rows: int) -> float:
        tower = Tower(rows, dim=16)
        optimizer_ = RowwiseAdamW(tower, lr=0.1)
        times = []
        for step in range(15):
            ids = torch.randint(rows, (2000,), generator=torch.Generator().manual_seed(step))
            started = time.perf_counter()
            tower.loss(ids, torch.zeros(2000, 16)).backward()
            optimizer_.collect()
            optimizer_.step()
            times.append(time.perf_counter() - started)
        return min(times)

    # A dense step over a hundred times the rows would take dozens of times as long.
    assert seconds(1_000_000) < 5 * seconds(10_000)


@pytest.mark.parametrize("overflows", [False, True])
def test_parameters_that_are_updated_as_one_get_the_same_bits(overflows, monkeypatch) -> None:
    """As on a GPU; one of them took no part in the loss."""

    def updated() -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        shapes = (3, 5), (7,), (), (2,), (4, 4)
        module = nn.ParameterList(torch.randn(shape, generator=generator) for shape in shapes)
        ours = RowwiseAdamW(module, lr=0.05, weight_decay=0.1, low_rate=[module[1], module[4]])
        for _ in range(3):
            for each in [*module[:3], module[4]]:
                each.grad = torch.randn(each.shape, generator=generator)
            ours.found_inf = torch.tensor(float(overflows))
            ours.step()
        return [each.detach() for each in module] + [each for pair in ours.moments for each in pair]

    apart = updated()
    monkeypatch.setattr(Cpu, "asynchronous", True)
    for one, other in zip(updated(), apart, strict=True):
        assert torch.equal(one, other)
