"""The README's examples do what it says."""

import csv
import re
import subprocess
import sys

import pytest

from retrieval_leaderboard import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


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
