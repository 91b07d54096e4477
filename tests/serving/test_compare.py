import json
import shutil

import pytest

from evaluation import report, runs
from evaluation.index_section import INDEXES
from serving import compare
from serving.__main__ import main
from serving.index import KINDS
from support import compute

FIELDS = {"kind", "parameters", "build_seconds", "bytes_per_item", "queries_per_second_one_thread",
          "queries_per_second_all_threads", "recall", "ndcg_lost"}  # fmt: skip


@pytest.fixture
def run(infonce_run, tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "SECONDS", 0.05)
    monkeypatch.setattr(compute, "_current", compute.current())
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


def test_the_command_from_a_run_of_aliec_sim(tmp_path, capsys):
    """A run's record tells the split; another fingerprint is refused in one sentence."""
    missing = main(["index", "--run", str(tmp_path), "--out", str(tmp_path / "out")])
    assert missing == 2
    assert "holds no run: give a folder of results/<dataset>/runs" in capsys.readouterr().err
