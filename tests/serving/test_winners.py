"""The winner of every board that ships, with its settings on a small dataset, is served and asked by curl."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.models import outside
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.serving.http.app import create_app
from tests.serving.running import running

RESULTS = ROOT / "results"
LED = re.compile(r"^  .*?\*\*([a-z_0-9]+)[^*]*\*\* (?:leads|comes first) ", re.MULTILINE)
"""The first model that a verdict of results/README.md names"""
USER = 7
CURL = [
    *("curl", "--silent", "--show-error", "--max-time", "60", "--noproxy", "*"),
    *("--header", "Content-Type: application/json", "--data"),
]


BOARDS = [family[0] for path in sorted(RESULTS.glob("*/runs")) for family in read_boards(path.parent)]


def winners():
    """The newest records of every board's best row and best official row, the same settings once."""
    every = [[row for row in board.rows if row.done] for board in BOARDS]
    official = [[row for row in rows if row.provenance.official] for rows in every]
    best = [max(rows, key=lambda row: row.mean("ndcg")).newest for rows in [*every, *official]]
    return list({(record.model, json.dumps(record.settings)): record for record in best}.values())


WINNERS = winners()


def test_every_verdict_names_one_of_them_first():
    named = LED.findall((RESULTS / "README.md").read_text(encoding="utf-8"))
    assert len(named) == len(BOARDS)
    assert set(named) <= {record.model for record in WINNERS}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize("stored", WINNERS, ids=lambda stored: f"{stored.model} of {stored.dataset.name}")
def test_a_winner_is_served_and_answers_curl_with_its_list(stored, run_again, dataset, tmp_path):
    model_class = outside.load(stored.plugin) if stored.plugin else None
    run = run_again(stored)
    bundle.write(run, dataset, tmp_path / "bundle", model_class=model_class)
    with np.load(run / "lists.npz") as lists:
        ranked = lists["items"][USER]
    with running(create_app(Recommender.open(tmp_path / "bundle", model_class))) as port:
        body = json.dumps({"user_id": dataset.user_ids[USER]})
        asked = [*CURL, body, f"http://127.0.0.1:{port}/recommend"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["model"] == stored.model and not answer["fallback"]
    assert answer["items"] == dataset.item_ids[ranked[ranked >= 0]].tolist() != []
