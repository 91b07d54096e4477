"""One step: how gradients are unscaled and clipped, and at which rate it learns."""

import pytest
import torch

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.training import trainer
from retrieval_leaderboard.neural.training.optimizer import RowwiseAdamW
from retrieval_leaderboard.support import compute
from tests.neural.trainers import trainer_of

TRAIN = planted().train
SMALL = {
    "embedding_dim": 8,
    "batch_size": 16,
    "negatives": 12,
    "epochs": 3,
    "neighbors": 0,
    "features": False,
}


def stepped(monkeypatch, precision: str = "fp32", **settings) -> tuple[float, float]:
    """The norm of all gradients with which a first step updates the towers, and its learning rate."""
    seen: list[tuple[float, float]] = []

    def step(self: RowwiseAdamW) -> None:
        group = self.param_groups[0]
        grads = [each.grad.flatten() for each in group["params"] if each.grad is not None]
        seen.append((float(torch.cat(grads).norm()), group["lr"]))
        self.zero_grad()

    monkeypatch.setattr(RowwiseAdamW, "step", step)
    monkeypatch.setattr(compute, "_current", compute.Compute(1, "cpu", precision))
    here = trainer_of(InfoNCE(**SMALL, **settings), TRAIN, 0)
    here.step(next(here.batcher.epoch(here.examples())))
    return seen[0]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_gradients_are_clipped_in_their_own_scale(precision: str, monkeypatch) -> None:
    monkeypatch.setattr(trainer, "CLIP_NORM", 1e9)
    free, _ = stepped(monkeypatch)
    assert free > 0.1
    for most in (0.1 * free, 10 * free):
        monkeypatch.setattr(trainer, "CLIP_NORM", most)
        norm, _ = stepped(monkeypatch, precision)
        assert norm == pytest.approx(min(most, free), rel=0.02)


def test_the_rate_is_that_of_the_share_of_steps_done(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(trainer.schedule, "rate", lambda *at: asked.append(at) or 0.25)
    _, rate = stepped(monkeypatch, learning_rate=0.4, averaging=0.3)
    assert rate == pytest.approx(0.1)
    # 48 users, 16 a batch, 3 epochs: 9 steps, and the rate would be 0 at a tenth.
    assert asked == [(pytest.approx(1 / 10), 0.3)]


def test_dropout_depends_on_the_seed() -> None:
    seeds = []
    for seed in (3, 4):
        trainer_of(InfoNCE(**SMALL), TRAIN, seed)
        seeds.append(torch.initial_seed())
    assert seeds == [3, 4]


def test_a_pair_counts_by_its_weight() -> None:
    """The loss is the weighted mean of the pairs' losses."""
    here = trainer_of(InfoNCE(**SMALL), TRAIN, 0)
    batch = next(here.batcher.epoch(here.examples()))
    batch.weight.copy_(torch.arange(len(batch.weight)) % 5)
    losses = torch.arange(len(batch.weight)).float() ** 2
    here.loss = lambda *_: losses
    expected = (losses * batch.weight).sum() / batch.weight.sum()
    torch.testing.assert_close(trainer.batch_loss(here.loss, here.towers, batch), expected)
