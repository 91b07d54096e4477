"""What the interactions and the examples of an epoch take of the GPU's memory, beside the forecast."""

import gc
from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural import InfoNCE, SasRec
from retrieval_leaderboard.neural.training import memory
from tests.neural.trainers import trainer_of
from tests.simulated_gpu.backend import NOTES

N = 100_000
SMALL = {"embedding_dim": 2, "batch_size": 512, "negatives": 1, "epochs": 1, "neighbors": 0}


def interactions(a_user, an_item):
    """Of N // a_user users with so many each, and items of `an_item` each."""
    user = np.repeat(np.arange(N // a_user, dtype=np.int32), a_user)
    item = np.random.default_rng(0).integers(0, N // an_item, N).astype(np.int32)
    return Interactions(user, item, np.arange(N), N // a_user, N // an_item)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("a_user", "an_item"), [(20, 50), (2, 50), (20, 5)])
@pytest.mark.parametrize("kind", memory.EXAMPLES)
def test_the_forecast_is_what_examples_take(kind, a_user, an_item, weighted, gpu) -> None:
    train = interactions(a_user, an_item)
    train = replace(train, weight=np.ones(N, np.float32)) if weighted else train
    trainer = trainer_of((SasRec if kind == "sequence" else InfoNCE)(examples=kind, **SMALL), train)
    towers = [*trainer.towers.state_dict().values(), *trainer.optimizer.tensors().values()]
    gc.collect()  # Other tests' tensors.
    NOTES.clear()
    trainer._batches(1)
    found = NOTES.peak - sum(each.nbytes for each in towers)
    # Examples without a history are left out: half of them where a user has two interactions.
    assert 0.9 * found <= memory.examples(trainer.settings, train) <= 1.5 * found
