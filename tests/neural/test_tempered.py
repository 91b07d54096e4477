"""The temperature that fits the size of the data."""

import pytest

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.neural import BSL, DssmBce, InfoNCE
from retrieval_leaderboard.neural.tempered import fitting
from retrieval_leaderboard.neural.training.loop import Loop

DATA = planted()


@pytest.mark.parametrize(
    ("interactions", "temperature"),
    [(0, 0.2), (50_000, 0.2), (100_000, 0.1682), (800_000, 0.1), (10**8, 0.1)],
)
def test_little_data_has_a_high_temperature(interactions, temperature):
    assert fitting(interactions) == pytest.approx(temperature, rel=1e-3)


@pytest.mark.parametrize("kind", [InfoNCE, DssmBce, BSL])
def test_a_temperature_that_is_given_is_taken(kind):
    given, fitted = kind(temperature=0.07), kind()
    for model in (given, fitted):
        Loop(model, DATA.train, 0)
    assert (given.temperature_, fitted.temperature_) == (0.07, fitting(len(DATA.train)))
    assert (given.temperature, fitted.temperature) == (0.07, 0.0)  # Settings stay as they were given.


def test_the_same_temperature_is_the_same_training():
    small = {"epochs": 1, "batch_size": 8, "embedding_dim": 8}
    models = [InfoNCE(**small), InfoNCE(**small, temperature=fitting(len(DATA.train)))]
    for model in models:
        model.fit(DATA.train, None, 0)
    assert (models[0].encode_items() == models[1].encode_items()).all()
