"""Statistics of whole boards: of runs made here, and of those that ship, from what git keeps."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.statistics import queries
from retrieval_leaderboard.evaluation.statistics.compare import compare
from tests.evaluation import stored
from tests.evaluation.statistics.test_queries import N, keep_run

SHIPPED = sorted({path.parent.parent for path in (ROOT / "results").glob("*/queries/*.parquet")})


def board(folder):
    ((found,),) = read_boards(folder)
    for row in found.rows:
        queries.keep(row)
    return found


def by_model(found, folder_board):
    return {row.model: each for row, each in zip(folder_board.rows, found.standings, strict=True)}


def p_of_pair(found, folder_board):
    models = [row.model for row in folder_board.rows]
    return found.p_values[models.index("als"), models.index("item_cf")]


def test_a_board_in_whole(tmp_path):
    keep_run(tmp_path, "item_cf")
    keep_run(tmp_path, "als", shift=0.05, by="budget")
    keep_run(tmp_path, "bsl")
    keep_run(tmp_path, "mine", shift=0.1, by="hand")
    stored.keep(tmp_path / "runs" / "without", stored.record("swing", ndcg=0.3))
    stored.keep(tmp_path / "runs" / "failed", stored.record("dssm_bce", reason="no memory"))
    rows = board(tmp_path)
    found = compare(rows)
    of = by_model(found, rows)
    assert of["swing"] is None and of["dssm_bce"] is None
    assert rows.rows[found.reference].model == "item_cf"
    assert {model: of[model].rank for model in ("als", "bsl", "item_cf", "mine")} == {
        "als": "1", "bsl": "2–3", "item_cf": "2–3", "mine": "1",
    }  # fmt: skip
    ours = of["als"].metrics["ndcg"]
    exact = next(row.mean("ndcg") for row in rows.rows if row.model == "als")
    assert ours.low < ours.mean == exact < ours.high
    values = queries.read(next(row for row in rows.rows if row.model == "als"))["ndcg"].astype(float)
    assert (ours.high - ours.low) / 2 == pytest.approx(1.96 * values.std() / np.sqrt(N), rel=0.15)
    assert 0 < of["als"].lead.low < of["als"].lead.mean < of["als"].lead.high
    assert of["als"].p < 0.05 and of["bsl"].p == 1.0
    assert of["item_cf"].lead is None and of["item_cf"].p is None
    for row, standing in zip(rows.rows, found.standings, strict=True):
        if standing and standing.p is not None:
            assert standing.p == found.p_values[rows.rows.index(row), found.reference], "one test of a pair"
    kept = [index for index, each in enumerate(found.standings) if each]
    assert np.isfinite(found.p_values[np.ix_(kept, kept)]).all()
    assert np.isnan(found.p_values).sum() == 36 - 16


def test_rows_that_were_explored_do_not_change_what_is_said_of_the_others(tmp_path):
    for seed in range(3):
        keep_run(tmp_path / "a", "item_cf", seed)
        keep_run(tmp_path / "b", "item_cf", seed)
    for folder in (tmp_path / "a", tmp_path / "b"):
        keep_run(folder, "als", shift=0.02)
    keep_run(tmp_path / "b", "mine", shift=0.001, by="command line")
    before, after = board(tmp_path / "a"), board(tmp_path / "b")
    less, more = compare(before), compare(after)
    of, of_more = by_model(less, before), by_model(more, after)
    assert all(_digits(of_more[model]) == _digits(of[model]) for model in of)
    pair, same_pair = p_of_pair(less, before), p_of_pair(more, after)
    assert 0 < pair == pytest.approx(same_pair, rel=1e-6)


@pytest.mark.parametrize("by", ["defaults", "hand"])
def test_a_row_with_the_settings_of_another_is_counted_once(tmp_path, by):
    for folder in (tmp_path / "a", tmp_path / "b"):
        keep_run(folder, "item_cf")
        keep_run(folder, "bsl", 1, shift=0.05, settings={"factors": "auto"}, resolved={"factors": 64})
        keep_run(folder, "swing", 2, shift=0.1, by="hand")
    keep_run(tmp_path / "b", "bsl", 2, shift=0.05, by=by, settings={"factors": 64})
    before, after = board(tmp_path / "a"), board(tmp_path / "b")
    less, more = compare(before), compare(after)
    of = {str(row.settings): each for row, each in zip(after.rows, more.standings, strict=True)}
    assert [each.rank for settings, each in of.items() if "64" in settings] == ["="]
    first, again = [at for at, row in enumerate(after.rows) if row.model == "bsl"]
    assert np.isnan(more.p_values[first, again])
    assert of[str(after.rows[again].settings)].p == of[str(after.rows[first].settings)].p
    kept = [at for at in range(4) if at != again]
    assert np.allclose(more.p_values[np.ix_(kept, kept)], less.p_values, rtol=1e-9)
    assert [more.standings[at].rank for at in kept] == [each.rank for each in less.standings]


def test_the_reference_is_the_official_row_of_item_cf_where_there_is_one(tmp_path):
    keep_run(tmp_path, "item_cf", shift=0.2, by="hand", settings={"top_k": 1})
    rows = board(tmp_path)
    assert compare(rows).reference == 0, "the best of them, where none is official"
    keep_run(tmp_path, "item_cf", shift=0.1, settings={"top_k": 2})
    keep_run(tmp_path, "item_cf", settings={"top_k": 3})
    rows = board(tmp_path)
    assert rows.rows[compare(rows).reference].settings["top_k"] == 2


def test_a_board_without_item_cf_has_no_leads(tmp_path):
    keep_run(tmp_path, "als")
    rows = board(tmp_path)
    found = compare(rows)
    assert found.reference is None and found.standings[0].lead is None and found.standings[0].rank == "1"


def test_a_board_without_stored_metrics_has_no_statistics(tmp_path):
    stored.keep(tmp_path / "runs" / "without", stored.record("item_cf", ndcg=0.3))
    found = compare(board(tmp_path))
    assert found.reference is None and found.standings == [None] and np.isnan(found.p_values).all()


def test_the_spread_of_seeds_widens_intervals(tmp_path):
    keep_run(tmp_path / "one")
    for seed, shift in enumerate((0.0, 0.2, 0.4)):
        keep_run(tmp_path / "three", seed=seed, shift=shift)
    one, three = (compare(board(tmp_path / name)).standings[0].metrics["ndcg"] for name in ("one", "three"))
    assert three.high - three.low > 1.5 * (one.high - one.low)


@pytest.mark.skipif(not SHIPPED, reason="no metrics of queries ship")
def test_a_clone_has_every_interval(tmp_path):
    """Of what git tracks alone, in a process of its own: the same statistics as here."""
    tracked = subprocess.run(
        ["git", "ls-files", "results/*/runs/*/run.json", "results/*/queries/*.parquet"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if tracked.returncode:
        pytest.skip("no checkout")
    for name in tracked.stdout.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in SHIPPED:
        rows = [row for family in read_boards(folder) for each in family for row in each.rows]
        with_metrics = [row for row in rows if row.done and queries.path(row).is_file()]
        assert with_metrics
        assert all(queries.read(row) is not None for row in with_metrics), "none of them is stale"
        assert {queries.path(row) for row in with_metrics} == {*(folder / queries.FOLDER).iterdir()}
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.evaluation.statistics.test_compare import said\n"
        "print(said([Path(name) for name in sys.argv[1:]]))"
    )
    folders = [str(tmp_path / folder.relative_to(ROOT)) for folder in SHIPPED]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    there = subprocess.run(
        [sys.executable, "-c", code, *folders],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert there.stdout.strip() == said(SHIPPED)
    assert there.stdout.count("Interval") > 50


def said(folders: list[Path]) -> str:
    """The statistics of all boards in one line, to as many digits as pages show."""
    boards = [each for folder in folders for family in read_boards(folder) for each in family]
    return " ".join(_rounded(compare(each).standings) for each in boards)


def _rounded(standings) -> str:
    return str([_digits(each) for each in standings if each is not None])


def _digits(standing) -> str:
    def shown(interval):
        return interval and f"Interval {interval.mean:.4f} {interval.low:.4f} {interval.high:.4f}"

    metrics = {name: shown(each) for name, each in standing.metrics.items()}
    return f"{standing.rank} {metrics} {shown(standing.lead)} {standing.p and f'{standing.p:.3g}'}"


def test_rows_whose_stored_queries_are_the_same_are_not_told_apart(tmp_path):
    keep_run(tmp_path, "item_cf")
    run, values = keep_run(tmp_path, "als")
    nudged = {name: column + 1e-9 * (column > 0.1) for name, column in values.items()}
    np.savez(run / records.LISTS, **nudged)
    record = records.read(run)
    means = record.result.metrics | {name: float(column.mean()) for name, column in nudged.items()}
    records.write(run, replace(record, result=replace(record.result, metrics=means)))
    rows = board(tmp_path)
    assert len({row.mean("ndcg") for row in rows.rows}) == 2
    of = by_model(compare(rows), rows)
    assert of["als"].p == 1.0 and {each.rank for each in of.values()} == {"1–2"}
