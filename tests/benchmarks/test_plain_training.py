"""Plain towers and losses give what ours give; plain steps learn."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from retrieval_leaderboard.benchmarks.plain_training import (
    Towers,
    Training,
    cosine_contrastive,
    sampled_softmax,
)
from retrieval_leaderboard.neural import losses
from retrieval_leaderboard.neural.infonce import InfoNCE
from tests.baselines.logs import interactions, queries


@pytest.fixture(scope="module")
def train():
    return interactions(np.random.default_rng(0))


@pytest.fixture(scope="module")
def towers():
    torch.manual_seed(0)
    return Towers(50, 8)


HISTORIES = [torch.tensor(row) for row in ([1, 2, 3], [7], [4, 5])]
TARGET = torch.tensor([10, 11, 12])
NEGATIVE = torch.tensor([20, 21, 22, 23])


def scores(towers):
    """Of each row with its target, float[3], and with the negatives, float[3, 4]."""
    user = towers.users(HISTORIES)
    return (user * towers.items(TARGET)).sum(dim=1), user @ towers.items(NEGATIVE).T


def test_vectors(train):
    model = InfoNCE(embedding_dim=8, epochs=1, history_exponent=0.0, popularity_exponent=0.0)
    model.fit(train, None, 0)
    towers = Towers(train.n_items, 8)
    towers.history.weight.data = torch.as_tensor(model.weights_["history.weight"][:-1])
    towers.item.weight.data = torch.as_tensor(model.item_vectors_)
    asked = queries(train).take(np.flatnonzero(train.user_counts))
    users = towers.users([torch.as_tensor(asked.history[row]).long() for row in range(len(asked))])
    assert_close(users.detach().numpy(), model.encode_queries(asked))
    assert_close(towers.items(torch.arange(train.n_items)).detach().numpy(), model.encode_items())


def test_cosine_contrastive(towers):
    own = NEGATIVE.expand(3, -1)
    expected = losses.cosine_contrastive(*scores(towers), torch.arange(3), len(NEGATIVE), 0.1, 30.0).mean()
    assert_close(cosine_contrastive(towers, HISTORIES, TARGET, own, 0.1, 30.0), expected)


def test_sampled_softmax(towers):
    expected = losses.sampled_softmax(*scores(towers), torch.arange(3), 0.2).mean()
    assert_close(sampled_softmax(towers, HISTORIES, TARGET, NEGATIVE, 0.2), expected)


@pytest.mark.parametrize(
    ("loss", "shared"),
    [
        (partial(cosine_contrastive, margin=0.5, weight=1.0), False),
        (partial(sampled_softmax, temperature=0.2), True),
    ],
)
def test_steps_learn(train, loss, shared):
    torch.manual_seed(0)
    training = Training(train, loss, 20, shared, dim=8, batch_size=64)
    assert training.steps_an_epoch == -(-len(train) // 64)
    first = training.steps(training.steps_an_epoch)
    assert len(first) == training.steps_an_epoch
    for _ in range(10):
        last = training.steps(training.steps_an_epoch)
    assert np.mean(last) < 0.9 * np.mean(first)
