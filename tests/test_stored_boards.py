"""The code as it stands still gives the numbers of the committed boards, to four digits.

Training towers amplifies how a processor rounds: on another one than the board's, they are compared
to within 3 %.
"""

import csv
import json
from dataclasses import fields
from pathlib import Path

import pytest

import baselines  # noqa: F401
import neural
from datasets import load
from evaluation import configs, contract, environment, evaluate, registry, runs, settings
from support import compute

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
IDENTITY = ("fingerprint", "k", "model", "code", "settings", "seed", "device", "precision")
ON_GOWALLA = ("global_hot", "item_cf", "swing", "als")


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """As many as the boards were made with."""
    monkeypatch.setattr(compute, "_current", compute.Compute(threads=2))


@pytest.fixture(scope="module")
def gowalla(data_dir):
    return load("gowalla", data_dir)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return load("aliec-sim", tmp_path_factory.mktemp("without-files"))


def chosen(data, name):
    """The settings that a plain `run_all.py --dataset` gives a model."""
    config = ROOT / "configs" / f"{data.name}.yaml"
    return configs.resolved(registry.get(name), [config], data).settings


def stored(data, name):
    """The row of a model with its chosen settings in the data's board."""
    values = {f"{key}={value}" for key, value in chosen(data, name).items()}
    with (RESULTS / data.name / "leaderboard.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if (row["model"], row["seed"]) == (name, "0")]
    (row,) = [row for row in rows if set(row["settings"].split(", ")) == values]
    return row


def compare(data, name):
    model, row = settings.build(registry.get(name), chosen(data, name)), stored(data, name)
    assert row["fingerprint"] == data.fingerprint
    contract.fit(model, data, seed=0)
    measured = evaluate(model, data).metrics
    expected = {key: float(row[f"{key}@20"]) for key in measured}
    if name in neural.NAMES and row["processor"] != environment.processor():
        assert measured == pytest.approx(expected, rel=0.03)
        return
    assert {key: round(value, 4) for key, value in measured.items()} == {
        key: round(value, 4) for key, value in expected.items()
    }


@pytest.mark.parametrize("name", ON_GOWALLA)
def test_gowalla(gowalla, name):
    compare(gowalla, name)


@pytest.mark.parametrize("name", neural.NAMES)
def test_aliec_sim(simulated, name):
    compare(simulated, name)


def test_stored_runs_have_the_settings_that_their_models_have():
    """A setting that is missing or has another name would have them run again."""
    for path in [*RESULTS.glob("*/runs/*/run.json"), *(ROOT / "benchmarks" / "findings").glob("*.json")]:
        run = json.loads(path.read_text())
        if run["model"] in registry.names():
            model = registry.get(run["model"])
            assert set(run["settings"]) == {each.name for each in fields(model)}, path
            stored = path.parent.name if path.name == "run.json" else path.stem
            assert stored.rpartition("-")[2] == runs.digest({key: run[key] for key in IDENTITY}), path
