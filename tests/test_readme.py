"""The README's examples do what it says."""

import csv
import re
import subprocess
import sys

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.report import report
from retrieval_leaderboard.studies import readme_page
from retrieval_leaderboard.support import pages
from tests.evaluation.stored import record

PAGE = ROOT / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_its_table_is_what_the_stored_runs_say():
    assert pages.filled(TEXT, readme_page.tables(readme_page.board()), PAGE) == TEXT


def test_it_is_short_and_shows_a_real_dataset():
    assert len(TEXT.splitlines()) <= 150
    assert not readme_page.board().board.dataset.synthetic


def test_an_official_row_goes_before_one_explored_by_hand():
    said = {"by hand": ("hand", 200), "in the budget": ("budget", 20), "overridden": ("command line", 0)}
    rows = [
        Row("als", {"how": how}, [record("als", by=by, trials=trials)], [], ROOT)
        for how, (by, trials) in said.items()
    ]
    shown = report(Board(rows[0].newest.dataset, "f", 20, rows))
    assert [each.row.settings["how"] for each in readme_page.entries(shown)] == ["in the budget"]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    (code,) = [block for block in BLOCKS if "what_next.py" in block]
    assert len(code.strip().splitlines()) <= 25
    path = tmp_path_factory.mktemp("plugin") / "what_next.py"
    path.write_text(code)
    return path


def test_the_added_model_gets_its_row(plugin, tmp_path):
    line = [sys.executable, "run_all.py", "--results-dir", str(tmp_path)]
    line += ["--model", f"{plugin}:WhatNext", "--models", "global_hot"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "aliec-sim" / "leaderboard.csv").open() as table:
        found = {row["model"]: row for row in csv.DictReader(table)}
    assert found["what_next"]["status"] == "done"
    assert float(found["what_next"]["ndcg@20"]) > 0


def test_the_library_example_runs():
    (code,) = [block for block in BLOCKS if "evaluate_lists" in block]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in ("history 10+", "cold items", "ndcg"):
        assert word in done.stdout
