"""One training step of each loss, what goes before it, and how it grows with the tables."""

from itertools import islice

import numpy as np
import pytest

from retrieval_leaderboard import neural
from retrieval_leaderboard.datasets import Interactions
from retrieval_leaderboard.evaluation.models import registry

STEPS = 40


def trainer_of(name, train, **settings):
    from retrieval_leaderboard.neural.training.trainer import Trainer

    model = registry.get(name)(**settings).resolved(train, None)
    return Trainer(model, model.pair_loss, train, seed=0)


def first_batch(trainer):
    return next(iter(trainer.batcher.epoch(trainer.examples())))


@pytest.mark.parametrize("name", neural.NAMES)
@pytest.mark.benchmark(group="a step on gowalla")
def test_step(timed, gowalla, name):
    trainer = trainer_of(name, gowalla.train_valid)
    timed(trainer.step, first_batch(trainer))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("simplex_ccl", {"negatives": 1000}),
        ("infonce", {"negatives": 1024, "in_batch": False}),
        ("infonce", {}),
        ("dssm_bce", {}),
    ],
    ids=["simplex_ccl, 1,000 negatives", "infonce, 1,024 negatives", "infonce", "dssm_bce"],
)
@pytest.mark.benchmark(group="an epoch of gowalla")
def test_epoch(benchmark, gowalla, name, settings):
    trainer = trainer_of(name, gowalla.train_valid, **settings)
    benchmark.pedantic(trainer.epoch, (1, lambda: None), rounds=3)


@pytest.mark.benchmark(group="batches of gowalla")
def test_rows_of_an_epoch(timed, gowalla):
    timed(trainer_of("infonce", gowalla.train_valid).rows)


@pytest.mark.benchmark(group="batches of gowalla")
def test_assembly(timed, gowalla):
    trainer = trainer_of("infonce", gowalla.train_valid)
    timed(lambda: first_batch(trainer))


@pytest.mark.parametrize("exponent", [0.0, 0.75])
@pytest.mark.benchmark(group="2,048 negatives of gowalla")
def test_negative_sampling(timed, gowalla, exponent):
    trainer = trainer_of("dssm_bce", gowalla.train_valid, negatives=2048, negative_exponent=exponent)
    nobody = trainer.interactions.user[:0]
    timed(trainer.batcher.samplers[0].draw, nobody, nobody, trainer.generator)


@pytest.mark.parametrize("rows", [100_000, 1_000_000])
@pytest.mark.benchmark(group=f"{STEPS} steps by size of the tables")
def test_steps_do_not_grow_with_the_tables(timed, rows):
    trainer = trainer_of("infonce", scattered(rows))
    batches = list(islice(trainer.batcher.epoch(trainer.examples()), STEPS))
    timed(lambda: [trainer.step(batch) for batch in batches])


def scattered(n_items):
    """50,000 users with 5 of `n_items` items each, so that a batch is the same size whatever n_items is."""
    rng = np.random.default_rng(0)
    item = np.sort(rng.integers(0, n_items, (50_000, 5)).astype(np.int32), axis=1)
    return Interactions(
        np.repeat(np.arange(50_000, dtype=np.int32), 5), item.ravel(), None, 50_000, n_items, ordered=False
    )
