"""Training and ranking on a device that nothing but its registration makes known: the CPU in its clothes."""

import numpy as np
import pytest

from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.ranking import topk_torch
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.devices.cpu import Cpu
from tests.neural.trainers import trainer_of
from tests.own_generator import OwnGenerator

DATA = planted()
SMALL = {"embedding_dim": 16, "batch_size": 16, "negatives": 24, "epochs": 40}


class Gpu(OwnGenerator, Cpu):
    """Runs beside the host and has a generator of its own."""

    asynchronous = True
    memory_name = "GPU"


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setitem(DEVICES, "cpu", device := Gpu())
    return device


def test_a_model_learns_and_ranks_on_it(gpu, monkeypatch, capsys) -> None:
    ranked, inner_product = [], topk_torch.inner_product
    monkeypatch.setattr(
        topk_torch, "inner_product", lambda *words: ranked.append(words[5]) or inner_product(*words)
    )
    model = InfoNCE(**SMALL)
    model.fit(DATA.train, DATA.valid, 0)
    items, _ = model.recommend(DATA.test, 8)
    assert measure.per_query(items, DATA.test.relevant, 8)["recall"].mean() > 0.9
    assert set(ranked) == {"cpu"}
    assert "of GPU memory" in capsys.readouterr().out


def test_its_generator_is_part_of_a_checkpoint(gpu) -> None:
    state = trainer_of(InfoNCE(**SMALL), DATA.train).state()
    gpu.own = 8
    trainer_of(InfoNCE(**SMALL), DATA.train).restore(*state)
    assert gpu.own == 7
    assert np.array_equal(state[1]["dropout"], DEVICES["cpu"].rng_state()["dropout"])
