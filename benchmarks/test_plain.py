"""The plain versions, in the groups of those they stand beside; few rounds, and large ones in part.

`scale` is what the time is multiplied by where only a part of the work is done, and `part` says which.
"""

from functools import partial

import numpy as np
import pytest
import torch

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.benchmarks import plain
from retrieval_leaderboard.benchmarks.plain_training import Training, cosine_contrastive, sampled_softmax
from retrieval_leaderboard.benchmarks.test_training import STEPS, scattered
from retrieval_leaderboard.evaluation.models.settings import concrete
from retrieval_leaderboard.evaluation.ranking import topk
from retrieval_leaderboard.neural import auto_settings
from retrieval_leaderboard.neural.infonce import InfoNCE
from retrieval_leaderboard.neural.simplex_ccl import SimpleX


@pytest.mark.benchmark(group="top-20 of gowalla")
def test_plain_inner_product(benchmark, vectors, gowalla):
    benchmark.pedantic(plain.inner_product, (*vectors, gowalla.test.exclude, 20), rounds=2)


@pytest.mark.benchmark(group="lists of gowalla")
def test_plain_metrics(benchmark, vectors, gowalla):
    lists = topk.inner_product(*vectors, gowalla.test.exclude, 20)[0]
    benchmark.pedantic(plain.per_query, (lists, gowalla.test.relevant, 20), rounds=3)


@pytest.mark.benchmark(group="item_cf on gowalla, K = 200")
def test_plain_item_cf(benchmark, gowalla):
    benchmark.pedantic(plain.item_cf, (gowalla.train_valid, ItemCF(normalization=0.0)), rounds=2)


@pytest.mark.benchmark(group="item-to-item top-20 of gowalla")
def test_plain_neighbors(benchmark, gowalla):
    model, asked = ItemCF(), gowalla.test
    model.fit(gowalla.train_valid, None, 0)
    benchmark.pedantic(plain.neighbors, (asked.history, model.similarity_, asked.exclude, 20), rounds=1)


@pytest.mark.parametrize(("name", "items"), [("gowalla", 800), ("ml_1m", 10)], ids=["gowalla", "ml_1m"])
@pytest.mark.benchmark(group="swing")
def test_plain_swing(benchmark, request, name, items):
    train = request.getfixturevalue(name).train_valid
    # Of a draw whose pairs take seconds: other seeds give items that are more popular.
    every = np.random.default_rng(1).permutation(train.n_items)
    pairs, part = plain.swing_pairs(train, every), plain.swing_pairs(train, every[:items])
    benchmark.extra_info["scale"] = pairs / part
    benchmark.extra_info["part"] = (
        f"{items} items drawn at random, {part:,} of {pairs:,} pairs of their users"
    )
    benchmark.pedantic(plain.swing, (train, Swing(normalization=0.0), every[:items].tolist()), rounds=1)


def simplex_training(train):
    model = SimpleX().resolved(train, None)
    loss = partial(
        cosine_contrastive, margin=model.margin, weight=concrete(model.negative_weight) * train.n_items
    )
    return Training(train, loss, 1000, shared=False)


def infonce_training(train, negatives=1024, optimizer=torch.optim.Adam):
    loss = partial(sampled_softmax, temperature=auto_settings.temperature({}, train, None))
    return Training(train, loss, negatives, shared=True, optimizer=optimizer)


@pytest.mark.parametrize(
    ("training", "steps"), [(simplex_training, 8), (infonce_training, 40)], ids=["simplex_ccl", "infonce"]
)
@pytest.mark.benchmark(group="an epoch of gowalla")
def test_plain_epoch(benchmark, gowalla, training, steps):
    plainly = training(gowalla.train_valid)
    benchmark.extra_info["scale"] = plainly.steps_an_epoch / steps
    benchmark.extra_info["part"] = f"{steps} of {plainly.steps_an_epoch:,} steps"
    benchmark.pedantic(plainly.steps, (steps,), rounds=2, warmup_rounds=1)


@pytest.mark.parametrize("rows", [100_000, 1_000_000])
@pytest.mark.benchmark(group=f"{STEPS} steps by size of the tables")
def test_plain_steps_grow_with_the_tables(benchmark, rows):
    steps = 5
    plainly = infonce_training(scattered(rows), InfoNCE().negatives, torch.optim.AdamW)
    benchmark.extra_info["scale"] = STEPS / steps
    benchmark.extra_info["part"] = f"{steps} of {STEPS} steps"
    benchmark.pedantic(plainly.steps, (steps,), rounds=2, warmup_rounds=1)
