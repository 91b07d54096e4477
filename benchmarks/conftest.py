"""Data, and the number of rounds, that all benchmarks share."""

from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.support import compute, progress


@pytest.fixture(scope="session", autouse=True)
def machine():
    """All cores, no progress."""
    progress.configure(quiet=True)
    return compute.configure("cpu")


@pytest.fixture
def timed(benchmark):
    """`timed(function, *args)`: five rounds after one that is not counted."""
    return lambda function, *args: benchmark.pedantic(function, args, rounds=5, warmup_rounds=1)


@pytest.fixture(scope="session")
def gowalla(data_dir):
    return load("gowalla", data_dir)


@pytest.fixture(scope="session")
def ml_1m(data_dir):
    return load("ml-1m", data_dir)


@pytest.fixture(scope="session")
def vectors(gowalla):
    """Random query and item vectors of gowalla's shape: float32[29,858, 64], float32[40,981, 64]."""
    draw = partial(np.random.default_rng(0).standard_normal, dtype=np.float32)
    return draw((len(gowalla.test), 64)), draw((gowalla.train.n_items, 64))


@pytest.fixture(scope="session")
def taken(gowalla):
    """float32[n_users, n_items], sparse: 1 where a user took an item."""
    train = gowalla.train_valid
    offsets = train.by_user.compact()[1]
    return csr_matrix((np.ones(len(train), np.float32), train.item, offsets), (train.n_users, train.n_items))
