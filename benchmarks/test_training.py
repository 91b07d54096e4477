"""One training step of each loss, what goes before it, and how it grows with the tables."""

from itertools import islice

import numpy as np
import pytest
import torch

from retrieval_leaderboard import neural
from retrieval_leaderboard.datasets import Interactions
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.support import compute

STEPS = 40
PARTS = pytest.mark.parametrize(
    ("neighbors", "threads"),
    [(neighbors, threads) for neighbors in (0, 20) for threads in (1, 2)],
    ids=lambda value: str(value),
)
"""Of a step of SimpleX: items with neighbors or without, and threads"""


def trainer_of(name, train, **settings):
    from retrieval_leaderboard.neural.training.trainer import Trainer

    model = registry.get(name)(**settings).resolved(train, None)
    return Trainer(model, model.pair_loss, train, seed=0)


def first_batch(trainer):
    return next(iter(trainer.batcher.epoch(trainer.examples())))


@pytest.mark.parametrize("name", [name for name in neural.NAMES if name in registry.defaults()])
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
    timed(trainer_of("infonce", gowalla.train_valid).examples)


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


@pytest.fixture
def simplex(gowalla, neighbors, threads):
    """What trains SimpleX on so many threads, and a few batches."""
    before = compute.current()
    compute.configure("cpu", threads=threads)
    trainer = trainer_of("simplex_ccl", gowalla.train_valid, negatives=1000, neighbors=neighbors)
    yield trainer, list(islice(trainer.batcher.epoch(trainer.examples()), 20))
    compute.configure("cpu", threads=before.threads)
    torch.set_num_threads(before.threads)


@PARTS
@pytest.mark.benchmark(group="20 steps of SimpleX")
def test_simplex_steps(timed, simplex):
    trainer, batches = simplex
    timed(lambda: [trainer.step(batch) for batch in batches])


@PARTS
@pytest.mark.benchmark(group="20 steps of SimpleX")
def test_copies_and_products(timed, simplex):
    """The least of a step: its three matrix products, and each number of the rows it changes copied once."""
    trainer, batches = simplex
    dim, work = trainer.settings.embedding_dim, []
    for batch in batches:
        shapes = (len(batch.queries.user), dim), (len(batch.negative), dim)
        work.append((*(torch.rand(shape) for shape in shapes), torch.rand(4 * rows_of(trainer, batch), dim)))
    copy = torch.empty(max(len(numbers) for *_, numbers in work), dim)

    def least():
        for queries, items, numbers in work:
            scores = queries @ items.T
            scores @ items, scores.T @ queries
            copy[: len(numbers)].copy_(numbers)

    timed(least)


def rows_of(trainer, batch):
    """How many rows of tables a step on `batch` changes: each with a weight, a gradient, and two moments."""
    from retrieval_leaderboard.neural.training.optimizer import of_rows
    from retrieval_leaderboard.neural.training.trainer import batch_loss

    batch_loss(trainer.loss, trainer.towers, batch).backward()
    trainer.optimizer.collect()
    rows = sum(len(of_rows(part).row) for part in trainer.optimizer.touched if part is not None)
    trainer.optimizer.zero_grad()
    return rows


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
