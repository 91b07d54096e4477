"""Steps of every tower on the simulated GPU: no device is mixed, and the host never waits."""

from dataclasses import replace

import pytest
import torch

from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import MODELS, InfoNCE, SasRec
from retrieval_leaderboard.support import compute
from tests.neural.trainers import trainer_of
from tests.simulated_gpu.backend import NAME, NOTES
from tests.simulated_gpu.conftest import compute_on

SMALL = {"embedding_dim": 16, "batch_size": 20, "negatives": 12, "epochs": 4}
IN_ORDER = {"examples": "interaction"}
CASES = [
    {},
    IN_ORDER | {"context": True},
    {"features": True, "user_share": 0.3, "mlp": "8", "interaction": "cross", "norm": "layer"},
    {"features": True, "mlp": "8-8", "interaction": "fm", "dropout": 0.1, "id_dropout": 0.1},
    {"features": True, "mlp": "8-8", "norm": "batch"},
    {"history_dropout": 0.1, "averaging": 0.7, "weight_decay": 0.1},
    {"in_batch": True, "shared_history": True, "similarity": "dot"},
    IN_ORDER | {"history_encoder": "position_weighted"},
    {"examples": "user", "history_encoder": "user_attention", "user_share": 0.3, "negative_exponent": 0.75},
    IN_ORDER | {"history_encoder": "self_attention", "max_history": 4, "gradient_checkpointing": True},
    {"examples": "sequence", "history_encoder": "causal", "max_history": 4, "dropout": 0.1, "context": True},
    IN_ORDER | {"neighbors": 3},
]


def train():
    """With an item more, the last one, that nobody took."""
    log = planted().train_valid
    features = Features({"block": log.item_features["block"].with_unknown()})
    return replace(log, timestamp=log.timestamp * 3600, n_items=log.n_items + 1, item_features=features)


def steps(model, settings, number=3):
    """Losses float[number], and the trainer after so many steps."""
    trainer = trainer_of(model(**(SMALL | settings)), train(), 0)
    made = trainer.batcher.epoch(trainer.examples())
    NOTES.clear()
    return torch.stack([trainer.step(next(made)) for _ in range(number)]), trainer


SLOW = [pytest.param(each, marks=pytest.mark.slow) for each in ("bf16", "fp32")]


@pytest.mark.parametrize("settings", CASES, ids=str)
@pytest.mark.parametrize("precision", ["fp16", *SLOW])
@pytest.mark.parametrize("model", MODELS)
def test_steps_stay_on_the_gpu(model, settings, precision, gpu, monkeypatch) -> None:
    compute_on(monkeypatch, precision)
    losses, trainer = steps(model, settings)
    assert dict(NOTES.waits) == {}
    assert {each.device.type for each in trainer.towers.state_dict().values()} == {NAME}
    assert torch.isfinite(losses.cpu()).all()
    assert bool(NOTES.low) == (precision != "fp32")


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_a_deterministic_step_has_kernels_for_it(settings, gpu, monkeypatch) -> None:
    compute_on(monkeypatch, "fp16")
    monkeypatch.setenv(compute.DETERMINISTIC, "1")
    model = MODELS[CASES.index(settings) % len(MODELS)]
    losses, _ = steps(model, settings, 2)
    assert torch.are_deterministic_algorithms_enabled() and dict(NOTES.waits) == {}
    assert torch.isfinite(losses.cpu()).all()


@pytest.mark.parametrize("place", range(len(CASES)))
def test_steps_that_lease_ahead_are_the_plain_ones(place, gpu, monkeypatch) -> None:
    """What is compiled on a GPU; the simulated one keeps the compiler off, so that it runs as it is."""
    model, settings = MODELS[place % len(MODELS)], CASES[place]
    plain, _ = steps(model, settings)
    monkeypatch.setenv(compute.COMPILED, "1")
    losses, trainer = steps(model, settings)
    assert dict(NOTES.waits) == {}
    assert torch.equal(losses.cpu(), plain.cpu())
    assert all(table.ahead is None and not table.handed for table in trainer.optimizer.tables)


@pytest.mark.parametrize(("model", "settings"), [
    (SasRec, {"loss": "gbce"}),
    (SasRec, {"every_negative": True}),
    (SasRec, {"every_negative": True, "loss": "gbce"}),
    (InfoNCE, {"cold_negatives": True, "logq_correction": False, "temperature": 0.1}),
], ids=str)  # fmt: skip
def test_steps_with_settings_of_a_loss_stay_on_the_gpu(model, settings, gpu, monkeypatch) -> None:
    test_steps_stay_on_the_gpu(model, settings, "fp16", gpu, monkeypatch)
