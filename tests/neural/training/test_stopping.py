from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.neural import InfoNCE, auto_settings
from retrieval_leaderboard.neural.training import schedule
from retrieval_leaderboard.neural.training.schedule import rate
from retrieval_leaderboard.neural.two_tower import TwoTower
from tests.neural.blocks import SMALL, blocks

FIXED = SMALL | {"popularity_exponent": 0.0}
"""An epoch is ranked once"""


def scripted(model: TwoTower, scores: list[float], monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Make validation score what `scores` says; returns the list that will hold each epoch's items."""
    kept: list[np.ndarray] = []
    planned = iter(scores)

    def per_query(items, relevant, k):
        kept.append(model.encode_items().copy())
        return {"ndcg": np.array([next(planned)])}

    monkeypatch.setattr(schedule.measure, "per_query", per_query)
    monkeypatch.setattr(schedule, "EVALUATION_SHARE", 100)  # After every epoch, whatever that costs.
    return kept


def test_stopping_early_keeps_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    train, queries = blocks()
    model = InfoNCE(**(FIXED | {"patience": 3, "epochs": 20}))
    kept = scripted(model, [0.1, 0.4, 0.3, 0.2, 0.3, 0.9], monkeypatch)
    model.fit(train, queries, 0)
    assert len(model.training_log) == 5 and model.best_epoch_ == 2
    assert np.array_equal(model.encode_items(), kept[1])
    assert [epoch["valid_ndcg"] for epoch in model.training_log] == [0.1, 0.4, 0.3, 0.2, 0.3]


def test_refitting_without_validation_runs_the_chosen_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    train, queries = blocks()
    model = InfoNCE(**(FIXED | {"patience": 1, "epochs": 20}))
    kept = scripted(model, [0.1, 0.4, 0.3], monkeypatch)
    model.fit(train, queries, 0)
    model.fit(train, None, 0)
    assert [epoch["epoch"] for epoch in model.training_log] == [1, 2]
    assert [epoch["valid_ndcg"] for epoch in model.choosing_log] == [0.1, 0.4, 0.3]
    # The same data, seed and schedule: the same model as at the chosen epoch.
    assert np.array_equal(model.encode_items(), kept[1])
    untold = InfoNCE(**(FIXED | {"epochs": 3}))
    untold.fit(train, None, 0)
    assert len(untold.training_log) == 3


def test_refitting_on_more_data_learns_to_the_last_of_the_chosen_epochs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, queries = blocks()
    first = train.user < train.n_users // 2
    half = replace(train, user=train.user[first], item=train.item[first])
    model = InfoNCE(**(FIXED | {"epochs": "auto"}))
    monkeypatch.setattr(auto_settings, "STEPS", 40)  # 2 steps an epoch: 20 epochs; then 4 steps an epoch.
    scripted(model, list(np.linspace(0.1, 0.5, 20)), monkeypatch)
    model.fit(half, queries, 0)
    assert model.best_epoch_ == 20
    rates = []
    monkeypatch.setattr(schedule, "rate", lambda *at: rates.append(rate(*at)) or rates[-1])
    model.fit(train, None, 0)
    assert len(rates) == 20 * 4 and min(rates) > 0
