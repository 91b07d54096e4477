"""The user tower in NumPy answers as the one of PyTorch."""

import numpy as np
import pytest

from retrieval_leaderboard.datasets.dataset import Queries
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.neural import MODELS, InfoNCE
from retrieval_leaderboard.neural.towers import online

SMALL = {"embedding_dim": 8, "negatives": 20, "epochs": 2, "features": True}


def asked(dataset):
    """The queries of all users, and users -1 with and without a history."""
    known = dataset.test
    nobody = np.full(len(known), -1, dtype=np.int32)
    users = np.concatenate([known.user, nobody, nobody[:1]])
    rows = [known.history[row] for row in range(len(known))]
    history = Ragged.from_rows([*rows, *rows, np.empty(0, np.int32)])
    return Queries(users, history, Ragged.empty(len(users)), Ragged.empty(len(users)))


def fitted(model_class, dataset, **settings):
    model = model_class(**SMALL | settings)
    model.fit(dataset.train_valid, None, 0)
    return model


def check(model, queries):
    for rows in (slice(None), slice(3, 4), slice(-1, None)):
        wanted, known = model.encode_known(queries.take(rows))
        vectors, also_known = model.online()(queries.take(rows))
        np.testing.assert_allclose(vectors, wanted, rtol=0, atol=1e-6 * max(1, np.abs(wanted).max()))
        assert vectors.dtype == np.float32 and np.array_equal(known, also_known)


@pytest.mark.parametrize("model_class", MODELS)
def test_every_model_answers_alike(model_class, dataset):
    check(fitted(model_class, dataset), asked(dataset))


@pytest.mark.parametrize("settings", [
    {"examples": "interaction", "history_encoder": "mean", "max_history": 3, "recency": 1.5},
    {"examples": "interaction", "history_encoder": "position_weighted", "max_history": 4},
    {"user_share": 0.4, "mlp": "16-8", "norm": "layer"},
    {"user_share": 1.0, "mlp": "16", "norm": "batch", "dropout": 0.1, "features": False},
    {"shared_history": True, "similarity": "dot", "neighbors": 5},
    {"similarity": "dot", "mlp": "16", "popularity_exponent": 0.2},
])  # fmt: skip
def test_settings_of_the_towers_count(settings, dataset):
    model = fitted(InfoNCE, dataset, **settings)
    assert online.OnlineUsers.fits(model.towers)
    check(model, asked(dataset))


@pytest.mark.parametrize("settings", [
    {"history_encoder": "self_attention"},
    {"interaction": "cross"},
    {"context": True, "examples": "interaction", "history_encoder": "mean"},
])  # fmt: skip
def test_other_towers_stay_with_pytorch(settings, dataset):
    model = fitted(InfoNCE, dataset, **settings)
    assert not online.OnlineUsers.fits(model.towers) and model.online() == model.encode_known
