"""One training step of each loss, what goes before it, and how it grows with the tables."""

from itertools import islice

import numpy as np
import pytest

from retrieval_leaderboard import neural
from retrieval_leaderboard.datasets import Interactions
from retrieval_leaderboard.evaluation.models import registry

STEPS = 40


def loop_of(name, train, **settings):
    from retrieval_leaderboard.neural.training.loop import Loop

    return Loop(registry.get(name)(**settings), train, seed=0)


def first_batch(loop):
    return next(iter(loop.batcher.epoch(loop.rows())))


@pytest.mark.parametrize("name", neural.NAMES)
@pytest.mark.benchmark(group="a step on gowalla")
def test_step(timed, gowalla, name):
    loop = loop_of(name, gowalla.train_valid)
    timed(loop.step, [first_batch(loop)])


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
    loop = loop_of(name, gowalla.train_valid, **settings)
    benchmark.pedantic(loop.epoch, (1, lambda: None), rounds=3)


@pytest.mark.benchmark(group="batches of gowalla")
def test_rows_of_an_epoch(timed, gowalla):
    timed(loop_of("infonce", gowalla.train_valid).rows)


@pytest.mark.benchmark(group="batches of gowalla")
def test_assembly(timed, gowalla):
    loop = loop_of("infonce", gowalla.train_valid)
    timed(lambda: first_batch(loop))


@pytest.mark.parametrize("exponent", [0.0, 0.75])
@pytest.mark.benchmark(group="2,048 negatives of gowalla")
def test_negative_sampling(timed, gowalla, exponent):
    loop = loop_of("dssm_bce", gowalla.train_valid, negatives=2048, negative_exponent=exponent)
    timed(loop.batcher.sampler.draw, loop.generator)


@pytest.mark.parametrize("rows", [100_000, 1_000_000])
@pytest.mark.benchmark(group=f"{STEPS} steps by size of the tables")
def test_steps_do_not_grow_with_the_tables(timed, rows):
    loop = loop_of("infonce", scattered(rows))
    batches = list(islice(loop.batcher.epoch(loop.rows()), STEPS))
    timed(lambda: [loop.step([batch]) for batch in batches])


def scattered(n_items):
    """50,000 users with 5 of `n_items` items each, so that a batch is the same size whatever n_items is."""
    rng = np.random.default_rng(0)
    item = np.sort(rng.integers(0, n_items, (50_000, 5)).astype(np.int32), axis=1)
    return Interactions(
        np.repeat(np.arange(50_000, dtype=np.int32), 5), item.ravel(), None, 50_000, n_items, ordered=False
    )
