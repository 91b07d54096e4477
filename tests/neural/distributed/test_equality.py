"""Steps of two processes are those of one that has the whole batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.benchmarks.torchrun import equality
from retrieval_leaderboard.evaluation.planted import planted, weighted
from retrieval_leaderboard.neural.distributed import exchange
from retrieval_leaderboard.neural.distributed.optimizer import agree
from retrieval_leaderboard.neural.training.optimizer import RowwiseAdamW
from retrieval_leaderboard.support import ranks
from retrieval_leaderboard.support.devices.cpu import Cpu
from tests.support.two_ranks import in_ranks, needs_ranks

DATA = weighted(planted()).train_valid
TABLES = ("replicated", "sharded")
GPU_STEPS = 6
CASES = [pytest.param(place, id=f"{case.model}: {case.what}") for place, case in enumerate(equality.CASES)]
NEIGHBORS = next(case for case in equality.CASES if "neighbors" in case.settings)


@contextmanager
def smooth() -> Iterator[None]:
    """softplus in place of ReLU, at whose kink the last bit of a sum decides whether a unit learns."""

    def without_kink(values: Tensor, inplace: bool = False) -> Tensor:
        return functional.softplus(values)

    with mock.patch.object(functional, "relu", without_kink):
        yield


def everything(places: list[int]) -> dict[str, Any]:
    """What one of two processes learns and finds; they are started once for all tests."""
    with smooth():
        learned = {tables: equality.trained_cases(places, DATA, tables) for tables in TABLES}
    cases = {tables: dict(zip(places, found, strict=True)) for tables, found in learned.items()}
    return {
        "cases": cases,
        "GPU": {tables: as_on_a_gpu(tables) for tables in TABLES},
        "found_inf": overflow(),
    }


def as_on_a_gpu(tables: str) -> equality.Learned:
    """By the operations of a device for which the host does not wait."""
    Cpu.asynchronous = True
    try:
        return equality.trained(NEIGHBORS, DATA, tables, GPU_STEPS)
    finally:
        Cpu.asynchronous = False


def overflow() -> float:
    """What a process hears of gradients that overflowed in the second one alone."""
    layer = torch.nn.Linear(2, 2)
    optimizer, scaler = RowwiseAdamW(layer, 0.1), torch.amp.GradScaler("cpu")
    scaler.scale(layer(torch.ones(1, 2)).sum() * (torch.inf if ranks.rank() else 1)).backward()
    optimizer.collect()
    scaler.unscale_(optimizer)
    agree(scaler, optimizer)
    [found] = scaler._found_inf_per_device(optimizer).values()
    before = layer.weight.detach().clone()
    scaler.step(optimizer)
    assert torch.equal(layer.weight, before)
    return float(found)


@pytest.fixture(scope="module")
def shared(request) -> list[dict[str, Any]]:
    items = (each for each in request.session.items if each.fspath == request.fspath)
    return in_ranks(
        everything, [each.callspec.params["place"] for each in items if "place" in each.fixturenames]
    )


@pytest.mark.slow
@needs_ranks
@pytest.mark.parametrize("place", CASES)
def test_two_processes_learn_what_one_does(place: int, shared) -> None:
    case = equality.CASES[place]
    with smooth():
        [one] = equality.trained_cases([place], DATA, "replicated")
    assert len({float(loss) for loss in one["losses"]}) == equality.STEPS
    # A loss of 4 is rounded to 5e-7; weights are below 2.
    unit = {"losses": max(abs(float(loss)) for loss in one["losses"])}
    for tables in TABLES:
        first, second = (each["cases"][tables][place] for each in shared)
        assert not any(equality.apart(first, second).values()), "all processes have the same weights"
        for kind, difference in equality.apart(one, first).items():
            assert difference < case.within * unit.get(kind, 1), (tables, kind, difference)


@pytest.mark.slow
@needs_ranks
@pytest.mark.parametrize("kind", TABLES)
def test_two_gpus_would_learn_what_one_does(kind: str, shared) -> None:
    one = as_on_a_gpu("replicated")
    for each in shared:
        assert max(equality.apart(one, each["GPU"][kind]).values()) < NEIGHBORS.within


@pytest.mark.slow
@needs_ranks
def test_all_processes_skip_a_step_that_overflowed_in_one(shared) -> None:
    assert [each["found_inf"] for each in shared] == [1.0, 1.0]


@pytest.mark.parametrize("total", [0, 1, 5, 12, 100])
@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_shares_are_those_of_torch_chunk(total: int, world: int, monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", str(world))
    shares = [torch.arange(total)[exchange.share(total, rank)].tolist() for rank in range(world)]
    expected = [part.tolist() for part in torch.arange(total).chunk(world)]
    assert [each for each in shares if each] == [each for each in expected if each]
