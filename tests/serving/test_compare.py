import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.models import outside
from retrieval_leaderboard.evaluation.reports import index_section, leaderboard
from retrieval_leaderboard.evaluation.reports.index_section import INDEXES
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.serving import Recommender, compare
from retrieval_leaderboard.serving.__main__ import main
from retrieval_leaderboard.serving.indexes import KINDS
from retrieval_leaderboard.support.errors import InputError

MODEL = f"{ROOT}/tests/evaluation/sample_models.py:Popular"


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "SECONDS", 0.02)
        yield


@pytest.fixture(scope="module")
def compared(infonce_run, dataset, tmp_path_factory):
    """A run whose indexes were compared, its record of that, and the board before and after."""
    board = tmp_path_factory.mktemp("results") / "toy"
    run = board / "runs" / infonce_run.name
    shutil.copytree(infonce_run, run)
    pages = []
    for work in (lambda: None, lambda: compare.compare(run, dataset)):
        returned = work()
        leaderboard.derive(board)
        pages.append((board / leaderboard.LEADERBOARD).read_text())
    assert returned == index_section.load(run / INDEXES)
    return run, returned, pages


def test_every_kind_is_measured_on_the_runs_vectors(compared):
    run, record, _ = compared
    assert [kind.kind for kind in record.kinds] == list(KINDS)
    for kind in record.kinds:
        assert kind.build_seconds >= 0 and kind.queries_per_second_one_thread > 0
        assert 0.3 < kind.recall <= 1 and kind.ndcg_lost <= record.ndcg_exact
    flat, _, hnsw, pq = record.kinds
    assert flat.recall == 1 and flat.ndcg_lost == pytest.approx(0, abs=1e-12)
    assert pq.bytes_per_item < hnsw.bytes_per_item
    ndcg = records.read(run).measured.metrics["ndcg"]
    assert record.ndcg_exact == pytest.approx(ndcg), "the exact lists are the run's own"


def test_the_board_shows_them(compared):
    run, _, (before, after) = compared
    assert "## Index kinds" not in before
    section = after[after.index("## Index kinds") :]
    assert run.name in section and "300 item vectors of 64 dimensions" in section
    names = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    assert names == ["index", *KINDS]


def test_shorter_neighbor_lists_are_measured(run_of, dataset, tmp_path):
    run = shutil.copytree(run_of("item_cf"), tmp_path / "toy" / "runs" / "item_cf")
    record = compare.compare(run, dataset)
    assert [kind.kind for kind in record.kinds] == [f"{n} neighbors" for n in (10, 20, 50, "all")]
    sizes = [kind.bytes_per_item for kind in record.kinds]
    assert sizes == sorted(set(sizes))
    shortest, *_, every = record.kinds
    assert every.recall == 1 and every.ndcg_lost == 0
    assert 0 < shortest.recall < 1 and shortest.queries_per_second_one_thread > 0
    assert record.ndcg_exact == pytest.approx(records.read(run).measured.metrics["ndcg"])
    leaderboard.derive(tmp_path / "toy")
    board = (tmp_path / "toy" / leaderboard.LEADERBOARD).read_text()
    assert "`item_cf`: neighbor lists of 300 items, 60 test queries" in board
    assert index_section.load(run / INDEXES) == record


def test_a_model_with_nothing_to_compare_says_so(run_of, dataset):
    with pytest.raises(InputError, match="global_hot has neither vectors to index nor neighbor lists to cut"):
        compare.compare(run_of("global_hot"), dataset)


def test_a_kind_that_cannot_hold_the_items_is_left_out(infonce_run, dataset, tmp_path, monkeypatch, capsys):
    run = shutil.copytree(infonce_run, tmp_path / infonce_run.name)

    def refuse(*asked):
        raise InputError("too few items")

    monkeypatch.setattr(KINDS["hnsw"], "build", refuse)
    assert [kind.kind for kind in compare.compare(run, dataset).kinds] == [k for k in KINDS if k != "hnsw"]
    assert "hnsw: left out: too few items" in capsys.readouterr().out


def test_lists_without_an_item_are_nothing_to_compare(infonce_run, dataset, tmp_path, monkeypatch):
    run = shutil.copytree(infonce_run, tmp_path / infonce_run.name)
    monkeypatch.setattr(compare, "_lists", lambda model, queries, exclude: np.full((len(queries), 20), -1))
    with pytest.raises(InputError, match="infonce has no list for any test query"):
        compare.compare(run, dataset)


def test_the_commands_on_a_run_of_ones_own_file_and_model(tmp_path, capsys):
    lines = [f"u{user},i{(user * 7 + step * step) % 40},{step}" for user in range(50) for step in range(9)]
    log = tmp_path / "log.csv"
    log.write_text("who,what,timestamp\n" + "\n".join(lines) + "\n")
    own = ["--dataset", str(log), "--columns", "user=who,item=what"]
    words = [*own, "--model", MODEL, "--results-dir", str(tmp_path), "--quiet"]
    assert subprocess.run([sys.executable, "run_all.py", *words], cwd=ROOT, check=False).returncode == 0
    (run,) = (tmp_path / "log" / "runs").iterdir()
    out = tmp_path / "bundle"
    of_run = ["--model", MODEL, "--run"]
    assert main(["index", *of_run, str(run), "--out", str(out)]) == 0
    model = outside.load(MODEL)
    assert len(Recommender.open(out, model).recommend("u1", k=5).items) == 5
    assert main(["index", *of_run, str(run), "--out", str(tmp_path / "versions"), "--version", "a"]) == 0
    assert (tmp_path / "versions" / "current").readlink() == Path("a")
    assert main(["index", *of_run, str(run), "--out", str(tmp_path / "versions"), "--version", "a"]) == 2
    assert "versions/a holds a bundle already" in capsys.readouterr().err
    assert main(["compare", *of_run, str(run)]) == 0
    assert "## Index kinds" in (tmp_path / "log" / "leaderboard.md").read_text()
    elsewhere = shutil.copytree(run, tmp_path / "elsewhere" / "copy")
    assert main(["compare", *of_run, str(elsewhere)]) == 2
    assert "elsewhere/copy is on no board" in capsys.readouterr().err
    assert main(["index", "--run", str(run), "--out", str(tmp_path / "other")]) == 2
    assert "a class of your own is given by --model FILE.py:CLASS" in capsys.readouterr().err
    moved = log.rename(tmp_path / "moved.csv")
    assert main(["index", *of_run, str(run), "--out", str(tmp_path / "other")]) == 2
    error = capsys.readouterr().err
    assert "the data of log is not to be had as the run had it" in error and "give --dataset" in error
    assert main(["index", *of_run, str(run), "--dataset", str(moved), "--out", str(tmp_path / "other")]) == 0
    log.write_text(moved.read_text() + "u1,i1,10\n")
    assert main(["index", *of_run, str(run), "--out", str(tmp_path / "third")]) == 2
    assert "its content, or how it is read, is another one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["index", "--out", "out"], "is no run: give a folder of results/<dataset>/runs"),
        (["compare"], "is no run"),
    ],
)
def test_the_commands_refuse_in_one_sentence(words, sentence, tmp_path, capsys):
    assert main([*words, "--run", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and sentence in line
