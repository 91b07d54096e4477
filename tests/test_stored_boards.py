"""The code as it stands still gives the numbers of the committed boards, to four digits."""

import csv
from pathlib import Path

import pytest

import baselines  # noqa: F401
from datasets import load
from evaluation import evaluate, registry, settings

BOARD = Path(__file__).parent.parent / "results" / "gowalla" / "leaderboard.csv"
WITHOUT_CHANCE = ("global_hot", "item_cf", "swing")


@pytest.fixture(scope="module")
def gowalla(data_dir):
    return load("gowalla", data_dir)


def stored(name):
    """The board's row of a model with its default settings."""
    wanted = ", ".join(f"{key}={value}" for key, value in settings.defaults(registry.get(name)).items())
    with BOARD.open() as table:
        (row,) = [row for row in csv.DictReader(table) if (row["model"], row["settings"]) == (name, wanted)]
    return row


@pytest.mark.parametrize("name", WITHOUT_CHANCE)
def test_gowalla(gowalla, name):
    model, row = registry.get(name)(), stored(name)
    assert row["fingerprint"] == gowalla.fingerprint
    model.fit(gowalla.train_valid, None, seed=0)
    measured = evaluate(model, gowalla).metrics
    assert {key: round(value, 4) for key, value in measured.items()} == {
        key: round(float(row[f"{key}@20"]), 4) for key in measured
    }
