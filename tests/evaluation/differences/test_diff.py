"""Two states of results, row by row: what is the same, what changed, and by how much."""

import shutil
import subprocess
from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.__main__ import main
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.support import progress
from tests.evaluation.stored import keep, record

SEEDS = (0.50, 0.51, 0.52)


@pytest.fixture(autouse=True)
def fresh_warnings():
    progress.warn_once.cache_clear()


def add(results, model="als", seeds=SEEDS, **changed):
    for seed, ndcg in enumerate(seeds):
        said = record(model, seed=seed, ndcg=ndcg, **changed)
        keep(results / said.dataset.name / "runs" / said.stem, said)


@pytest.fixture
def before(tmp_path):
    add(tmp_path / "before")
    add(tmp_path / "before", "item_cf", (0.4,))
    return tmp_path / "before"


@pytest.fixture
def after(tmp_path):
    return tmp_path / "after"


def difference(before, after, capsys, *words):
    """Exit code and what is printed."""
    capsys.readouterr()
    return main(["diff", str(before), str(after), *words]), capsys.readouterr().out


def test_the_same_results_have_no_change(before, after, capsys):
    shutil.copytree(before, after)
    code, text = difference(before, after, capsys)
    assert code == 0 and text.splitlines()[1:] == ["  2 rows with the same metrics"]


def test_another_metric_is_shown_with_its_interval(before, after, capsys):
    add(after, seeds=[value + 0.1 for value in SEEDS])
    add(after, "item_cf", (0.3,))
    code, text = difference(before, after, capsys)
    assert code == 1
    # Welch: the standard error is sqrt(2 · 0.0001 / 3), the quantile of 4 degrees of freedom 2.7764.
    assert "NDCG@20       0.5100 → 0.6100  +0.1000 [+0.0773, +0.1227]" in text
    assert "NDCG@20       0.4000 → 0.3000  -0.1000\n" in text
    assert "same metrics" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_metric_that_differs_beyond_what_is_shown_is_said_to(before, after, capsys):
    add(after, seeds=[value + 1e-6 for value in SEEDS])
    add(after, "item_cf", (0.4,))
    code, text = difference(before, after, capsys)
    assert code == 1 and "NDCG@20       0.5100, apart beyond these digits\n" in text and "→" not in text


def test_boards_of_several_split_seeds_are_told_apart(tmp_path, after, capsys):
    before = tmp_path / "several"
    for results, ndcg in ((before, 0.4), (after, 0.5)):
        for split_seed in (0, 1):
            add(results, seeds=(ndcg,), split_seed=split_seed, fingerprint=f"split {split_seed}")
    _, text = difference(before, after, capsys)
    headings = [line for line in text.splitlines() if "top 20" in line]
    assert headings[1] == f"{headings[0]}, split seed 1" and text.count("0.4000 → 0.5000") == 4


def test_rows_that_are_new_or_gone(before, after, capsys):
    add(after)
    add(after, "swing", (0.6,))
    code, text = difference(before, after, capsys)
    assert code == 1
    assert "  swing: new, NDCG@20 0.6000, Recall@20 0.6000" in text
    assert "  item_cf: gone, NDCG@20 0.4000, Recall@20 0.4000" in text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"settings": {"factors": 8}}, "als: settings changed: factors None → 8"),
        ({"fingerprint": "0123456789ab"}, "→ 0123456789ab"),
        ({"seeds": (0.51,)}, "seeds 3 → 1"),
    ],
)
def test_what_changed_beside_metrics_is_no_change_in_metrics(before, after, capsys, changed, words):
    add(after, **({"seeds": SEEDS} | changed))
    add(after, "item_cf", (0.4,))
    code, text = difference(before, after, capsys)
    assert code == 0 and words in text


def test_a_row_goes_with_the_one_whose_settings_are_most_like_its_own(tmp_path, after, capsys):
    before = tmp_path / "several"
    for results, shift in ((before, 0.0), (after, 0.1)):
        for factors in (8, 16):
            add(results, seeds=(0.4 + factors / 100 + shift,), settings={"factors": factors})
    _, text = difference(before, after, capsys)
    assert "0.4800 → 0.5800" in text and "0.5600 → 0.6600" in text and "changed" not in text


@pytest.mark.parametrize(("processor", "shown"), [("one", True), ("two", False)])
def test_costs_of_one_machine_alone_are_compared(before, after, capsys, processor, shown):
    add(after, fit_seconds=3.0, processor=processor)
    add(after, "item_cf", (0.4,))
    _, text = difference(before, after, capsys, "--format", "md")
    (row,) = [line for line in text.splitlines() if line.startswith("| als")]
    assert ("1.0 → 3.0" in row) == shown


@pytest.fixture
def repository(tmp_path, before, monkeypatch):
    """A git repository with two commits of results, in which als got better."""
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    git("init", "-q")
    shutil.copytree(before, root / "results")
    commit("first")
    shutil.rmtree(root / "results")
    add(root / "results", seeds=[value + 0.1 for value in SEEDS])
    add(root / "results", "item_cf", (0.4,))
    commit("second")
    return root


def git(*words):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True)


def commit(tag):
    git("add", "-A")
    git("commit", "-q", "-m", tag)
    git("tag", tag)


@pytest.mark.parametrize(
    ("old", "new"),
    [("first", "second"), ("first:results", "HEAD:results/planted"), ("HEAD~1", "results")],
)
def test_revisions_of_git(repository, capsys, old, new):
    code, text = difference(old, new, capsys)
    assert code == 1 and "0.5100 → 0.6100" in text and "1 row with the same metrics" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere", "nowhere: there is neither a folder nor a git revision of that name"),
        ("first:docs", "first:docs: the revision has no such folder"),
        ("first:../..", "first:../..: the revision has no such folder"),
        (".git", ".git: no run is stored there"),
        ("--output=x", "arguments"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(repository, given, message, capsys):
    try:
        code = main(["diff", given, "results"])
    except SystemExit as error:
        code = error.code
    assert code == 2
    error = capsys.readouterr().err
    assert message in error


def test_a_change_in_another_metric_is_named(before, after, capsys):
    shutil.copytree(before, after)
    for path, each in records.of_board(next(after.iterdir())).items():
        metrics = each.measured.metrics | ({"map": 0.1} if each.model == "als" else {})
        records.change(path, replace(each, result=replace(each.measured, metrics=metrics)))
    code, text = difference(before, after, capsys)
    assert code == 1 and "also apart: map" in text and "NDCG@20       0.5100\n" in text


def test_a_revision_has_paths_from_the_top(before, capsys):
    code, _ = difference(f"HEAD:{before}", before, capsys)
    assert code == 2
