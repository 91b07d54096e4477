import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation import report, runs
from evaluation.index_section import INDEXES
from serving import Recommender, compare
from serving.__main__ import main
from serving.index import KINDS

ROOT = Path(__file__).parent.parent.parent
FIELDS = {"kind", "parameters", "build_seconds", "bytes_per_item", "queries_per_second_one_thread",
          "queries_per_second_all_threads", "recall", "ndcg_lost"}  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(compare, "SECONDS", 0.02)


@pytest.fixture
def run(infonce_run, tmp_path):
    board = tmp_path / "results" / "toy"
    shutil.copytree(infonce_run, board / "runs" / infonce_run.name)
    return board / "runs" / infonce_run.name


def test_every_kind_is_measured_on_the_runs_vectors(run, dataset):
    compared = compare.compare(run, dataset)
    assert compared == json.loads((run / INDEXES).read_text())
    assert [kind["kind"] for kind in compared["kinds"]] == list(KINDS)
    for kind in compared["kinds"]:
        assert set(kind) == FIELDS
        assert kind["build_seconds"] >= 0 and kind["queries_per_second_one_thread"] > 0
        assert 0.3 < kind["recall"] <= 1 and kind["ndcg_lost"] <= compared["ndcg_exact"]
    flat, _, hnsw, pq = compared["kinds"]
    assert flat["recall"] == 1 and flat["ndcg_lost"] == pytest.approx(0, abs=1e-12)
    assert pq["bytes_per_item"] < hnsw["bytes_per_item"]
    ndcg = runs.read(run)["metrics"]["ndcg"]
    assert compared["ndcg_exact"] == pytest.approx(ndcg), "the exact lists are the run's own"


def test_the_board_shows_them(run, dataset):
    board = run.parent.parent
    report.write(board, dataset.fingerprint, 20)
    assert "## Index kinds" not in (board / report.LEADERBOARD).read_text()
    compare.compare(run, dataset)
    report.write(board, dataset.fingerprint, 20)
    page = (board / report.LEADERBOARD).read_text()
    section = page[page.index("## Index kinds") :]
    assert run.name in section and "300 item vectors of 64 dimensions" in section
    assert [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")] == [
        "index",
        *KINDS,
    ]


def test_the_commands_on_a_run_of_ones_own_file(tmp_path):
    lines = [f"u{user},i{(user * 7 + step * step) % 40},{step}" for user in range(50) for step in range(9)]
    log = tmp_path / "log.csv"
    log.write_text("user,item,timestamp\n" + "\n".join(lines) + "\n")
    words = ["--dataset", str(log), "--models", "als", "--results-dir", str(tmp_path), "--quiet"]
    assert subprocess.run([sys.executable, "run_all.py", *words], cwd=ROOT, check=False).returncode == 0
    (run,) = (tmp_path / "log" / "runs").iterdir()
    out = tmp_path / "bundle"
    assert main(["index", "--run", str(run), "--dataset", str(log), "--out", str(out)]) == 0
    assert len(Recommender.open(out).recommend("u1", k=5).items) == 5
    assert main(["compare", "--run", str(run), "--dataset", str(log)]) == 0
    assert "## Index kinds" in (tmp_path / "log" / "leaderboard.md").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["index", "--out", "out"], "holds no run: give a folder of results/<dataset>/runs"),
        (["compare"], "holds no run"),
    ],
)
def test_the_commands_refuse_in_one_sentence(words, sentence, tmp_path, capsys):
    assert main([*words, "--run", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and sentence in line
