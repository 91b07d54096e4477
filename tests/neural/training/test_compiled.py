"""Compiled steps, walked on the CPU as on a GPU."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch._dynamo.utils import counters

from retrieval_leaderboard.neural.infonce import InfoNCE
from retrieval_leaderboard.neural.training import compiled
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices.cpu import Cpu
from retrieval_leaderboard.support.errors import InputError
from tests.neural.compiled_steps import CASES, first_steps

BATCHES = 3
"""An epoch of them, the last of which is shorter"""


@pytest.fixture
def compiling(monkeypatch):
    """Has the trainings that follow compiled by a backend."""
    torch._dynamo.reset()
    counters.clear()
    monkeypatch.setattr(Cpu, "asynchronous", True)

    def begin(**backend):
        monkeypatch.setenv(compute.COMPILED, "1")
        monkeypatch.setattr(compiled, "BACKEND", compiled.BACKEND | backend)

    return begin


def same_steps(model, settings, begin) -> None:
    """Losses and weights are the plain ones, by two graphs, and one more for a shorter batch."""
    plain = first_steps(model, settings, BATCHES)
    begin()
    for found, expected in zip(first_steps(model, settings, BATCHES), plain, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert not counters["graph_break"]
    assert counters["stats"]["unique_graphs"] <= 3


@pytest.mark.slow
@pytest.mark.parametrize(("model", "settings"), CASES, ids=str)
def test_compiled_steps_are_the_plain_ones_in_two_graphs(model, settings, compiling) -> None:
    same_steps(model, settings, partial(compiling, backend="aot_eager", options=None))


@pytest.mark.slow
def test_code_of_the_compiler_gives_the_same_steps(compiling) -> None:
    settings = {"features": True, "user_share": 0.3, "mlp": "8", "dropout": 0.1, "neighbors": 0}
    same_steps(InfoNCE, settings | {"id_dropout": 0.0}, compiling)


def test_what_cannot_be_compiled_is_said_in_a_sentence(compiling) -> None:
    def refuse(graph, inputs):
        raise RuntimeError("no compiler\nis here\n\nGood luck.")

    compiling(backend=refuse, options=None)
    batch = SimpleNamespace(queries=torch.ones(2), items=torch.ones(2))
    towers = torch.nn.Bilinear(2, 2, 1)
    loss = compiled.Compiled(lambda pair_loss, _towers, batch, _: pair_loss(batch.items), towers)
    with pytest.raises(
        InputError, match=r"does not compile a step here \(.*no compiler is here\); leave it out"
    ):
        loss(torch.sum, towers, batch, None)
