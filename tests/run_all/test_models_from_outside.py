"""Models of the working folder and of installed packages get rows, and the board says where they are."""

import json
import os
import subprocess
import sys

import pytest

from retrieval_leaderboard import ROOT
from tests.evaluation.models import packages
from tests.run_all.commands import refused, rows


def command(log, tmp_path, *words, check=0):
    """The command in a working folder with the package `ours`, beside the installed package `theirs`."""
    here, site = tmp_path / "here", tmp_path / "site"
    if not here.exists():
        packages.write(here, "ours")
        packages.write(site, "theirs", '@register("neighbor")')
        packages.install(site, "their-models", neighbor="theirs.models:Neighbor", als="theirs.models:ALS")
    line = [sys.executable, ROOT / "run_all.py", "--dataset", log, "--results-dir", tmp_path / "results"]
    environment = os.environ | {"PYTHONPATH": str(site), "RETRIEVAL_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [*map(str, line), *words], cwd=here, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == check, done.stdout + done.stderr
    return done


@pytest.mark.slow
def test_rows_of_both(log, tmp_path):
    done = command(log, tmp_path, "--models", "neighbor", "--model", "ours.models:Neighbor", "--defaults")
    assert {model for model, _ in rows(tmp_path)} == {"neighbor", "Neighbor"} and not done.stderr
    records = [json.loads(each.read_text()) for each in tmp_path.glob("results/mine/runs/*/run.json")]
    found = {each["model"]: each["plugin"] for each in records}
    assert found == {"neighbor": "theirs.models:Neighbor", "Neighbor": "ours.models:Neighbor"}
    board = (tmp_path / "results" / "mine" / "leaderboard.md").parent
    pages = "".join(path.read_text() for path in board.rglob("*.md"))
    assert "--model theirs.models:Neighbor" in pages and "--model ours.models:Neighbor" in pages


def test_a_name_that_a_model_of_the_command_has(log, tmp_path):
    twice = "--models", "neighbor", "--model", "theirs.models:Neighbor"
    sentence = refused(command(log, tmp_path, *twice, check=2))
    assert "--model theirs.models:Neighbor: the name 'neighbor' is taken" in sentence
