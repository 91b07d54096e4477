"""Trainings that are compiled in tests, of every loss and of the parts of towers."""

from dataclasses import replace

import torch

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural.bsl import BSL
from retrieval_leaderboard.neural.dssm_bce import DssmBce
from retrieval_leaderboard.neural.infonce import InfoNCE
from retrieval_leaderboard.neural.sasrec import SasRec
from retrieval_leaderboard.neural.simplex_ccl import SimpleX
from tests.neural.trainers import trainer_of

SMALL = {"embedding_dim": 16, "batch_size": 20, "negatives": 12, "epochs": 4}
IN_ORDER = {"examples": "interaction", "max_history": 4}
CASES = [
    (InfoNCE, {}),
    (InfoNCE, IN_ORDER | {"neighbors": 3}),
    (BSL, {"features": True, "user_share": 0.3, "mlp": "8", "interaction": "cross", "norm": "layer"}),
    (BSL, {"features": True, "mlp": "8-8", "norm": "batch", "id_dropout": 0.1}),
    (SimpleX, {"features": True, "mlp": "8-8", "interaction": "fm", "dropout": 0.1, "shared_history": True}),
    (SimpleX, {"examples": "user", "history_encoder": "user_attention", "history_dropout": 0.1}),
    (DssmBce, IN_ORDER | {"history_encoder": "self_attention", "context": True}),
    (SasRec, {"max_history": 4, "dropout": 0.1}),
    (SasRec, {"loss": "gbce", "neighbors": 3}),
]


def first_steps(model, settings, number):
    """Losses float[number] of the first steps, and every weight after them."""
    log = planted().train_valid
    trainer = trainer_of(model(**(SMALL | settings)), replace(log, timestamp=log.timestamp * 3600), 0)
    batches = trainer.batcher.epoch(trainer.examples())
    losses = torch.stack([trainer.step(next(batches)) for _ in range(number)])
    return [losses, *(each.detach().clone() for each in trainer.towers.trained())]
