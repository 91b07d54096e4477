"""The code as it stands still gives the numbers of the committed boards, to four digits."""

import csv
from pathlib import Path

import pytest

import baselines  # noqa: F401
import neural  # noqa: F401
from datasets import load
from evaluation import contract, evaluate, registry, settings
from support import compute

RESULTS = Path(__file__).parent.parent / "results"
ON_GOWALLA = ("global_hot", "item_cf", "swing", "als")
TOWERS = ("dssm_bce", "simplex_ccl", "infonce")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """The same numbers as on several, and PyTorch's threads do not wait for each other on a busy machine."""
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=1))


@pytest.fixture(scope="module")
def gowalla(data_dir):
    return load("gowalla", data_dir)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return load("aliec-sim", tmp_path_factory.mktemp("without-files"))


def stored(data, name):
    """The row of a model with its default settings in the data's board."""
    chosen = ", ".join(f"{key}={value}" for key, value in settings.defaults(registry.get(name)).items())
    wanted = {"model": name, "settings": chosen, "seed": "0"}
    with (RESULTS / data.name / "leaderboard.csv").open() as table:
        (row,) = [row for row in csv.DictReader(table) if wanted.items() <= row.items()]
    return row


def compare(data, name):
    model, row = registry.get(name)(), stored(data, name)
    assert row["fingerprint"] == data.fingerprint
    contract.fit(model, data, seed=0)
    measured = evaluate(model, data).metrics
    assert {key: round(value, 4) for key, value in measured.items()} == {
        key: round(float(row[f"{key}@20"]), 4) for key in measured
    }


@pytest.mark.parametrize("name", ON_GOWALLA)
def test_gowalla(gowalla, name):
    compare(gowalla, name)


@pytest.mark.parametrize("name", TOWERS)
def test_aliec_sim(simulated, name):
    compare(simulated, name)
