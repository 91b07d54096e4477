"""What models make of the losses: whose settings, in which units, by which rule."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import BSL, DssmBce, InfoNCE, SasRec, SimpleX, losses
from retrieval_leaderboard.neural.training.trainer import batch_loss
from tests.neural.trainers import trainer_of

TRAIN = planted().train
POSITIVE = torch.tensor([0.9, 0.1, -0.4])
NEGATIVE = torch.tensor([[0.8, -0.2, 0.3, 0.5], [0.1, 0.95, -0.7, 0.0]])
ROW, LOG_Q = torch.tensor([0, 0, 1]), torch.tensor([0.5, 0.1, 0.9, 0.25]).log()
BATCH = SimpleNamespace(row=ROW, log_q=LOG_Q, negatives=4)
ITEMS = 50
TOWERS = SimpleNamespace(item_known=torch.ones(ITEMS), bias=torch.tensor(0.7))


def loss(model, examples: str = "user") -> torch.Tensor:
    model = replace(model, examples=examples).resolved(TRAIN, None)
    return model.pair_loss(POSITIVE, NEGATIVE, BATCH, TOWERS)


def test_infonce_corrects_popularity_where_it_is_told_to() -> None:
    scores = POSITIVE, NEGATIVE, ROW, 0.3
    assert_close(loss(InfoNCE(temperature=0.3)), losses.sampled_softmax(*scores, LOG_Q))
    without = InfoNCE(temperature=0.3, logq_correction=False)
    assert_close(loss(without), losses.sampled_softmax(*scores))


@pytest.mark.parametrize(("settings", "examples", "weight"), [
    ({"features": False}, "user", 1.1),
    ({"features": False}, "interaction", 1.0),
    ({"features": True}, "user", 1.0),
    ({"negative_weight": 1.3}, "interaction", 1.3),
])  # fmt: skip
def test_bsl_weighs_negatives_more_for_examples_per_user(
    settings: dict, examples: str, weight: float
) -> None:
    expected = losses.bilateral_softmax(POSITIVE, NEGATIVE, ROW, 0.3, weight)
    assert_close(loss(BSL(temperature=0.3, **settings), examples), expected)


@pytest.mark.parametrize(("weight", "examples", "expected"), [
    ("auto", "user", 0.004),
    ("auto", "interaction", 0.01),
    (0.03, "user", 0.03),
])  # fmt: skip
def test_simplex_weighs_negatives_in_units_of_the_catalog(weight, examples: str, expected: float) -> None:
    scores = POSITIVE, NEGATIVE, ROW, 4
    found = loss(SimpleX(margin=0.2, negative_weight=weight), examples)
    assert_close(found, losses.cosine_contrastive(*scores, 0.2, expected * ITEMS))


def test_sasrec_reads_what_its_loss_needs() -> None:
    unread = {loss: SasRec.unread(settings.defaults(SasRec) | {"loss": loss}) for loss in ("softmax", "gbce")}
    assert unread == {"softmax": {"calibration"}, "gbce": {"logq_correction"}}


def test_sasrec_draws_so_many_of_the_catalog_for_gbce() -> None:
    expected = losses.generalized_bce(POSITIVE / 0.5, NEGATIVE / 0.5, ROW, 4, ITEMS - 1, 0.9)
    assert_close(loss(SasRec(loss="gbce", temperature=0.5, calibration=0.9), "sequence"), expected)


@pytest.mark.parametrize("corrected", [False, True])
def test_sasrec_corrects_popularity_where_it_is_told_to(corrected: bool) -> None:
    expected = losses.sampled_softmax(POSITIVE, NEGATIVE, ROW, 1.0, LOG_Q if corrected else None)
    assert_close(loss(SasRec(logq_correction=corrected), "sequence"), expected)


def test_the_softmax_over_every_item_is_the_cross_entropy_of_pytorch() -> None:
    trainer = trainer_of(SasRec(every_negative=True, embedding_dim=8, dropout=0.0), TRAIN)
    batch = next(trainer.batcher.epoch(trainer.examples()))
    towers = trainer.towers
    queries, items = towers(batch.queries, torch.arange(TRAIN.n_items))
    taken = torch.as_tensor(TRAIN.item_counts > 0)
    scores = (queries @ items.T).masked_fill(~taken, -torch.inf)
    expected = functional.cross_entropy(scores, batch.items[batch.target])
    assert_close(batch_loss(trainer.loss, towers, batch), expected)


def test_dssm_starts_where_the_target_and_all_negatives_pull_equally() -> None:
    weight = 0.1 * ITEMS
    bias = TOWERS.bias - torch.tensor(weight).log()
    expected = losses.binary_cross_entropy(POSITIVE, NEGATIVE, ROW, 4, 0.3, bias, weight)
    assert_close(loss(DssmBce(temperature=0.3, negative_weight=0.1)), expected)
