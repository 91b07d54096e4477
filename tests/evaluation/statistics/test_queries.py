"""What a row keeps of its queries, and when it is not used."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.statistics import queries
from retrieval_leaderboard.support import progress
from tests.evaluation import stored

SHOWN = ("precision", "recall", "map", "ndcg")
N = 1000


def keep_run(folder, model="als", seed=0, shift=0.0, **more):
    """Store a run with metrics of N queries, `shift` higher than at first; its folder and the metrics."""
    rng = np.random.default_rng(seed)
    values = {name: rng.random(N) * (rng.random(N) < 0.5) + shift * 2 * rng.random(N) for name in SHOWN}
    means = {name: float(column.mean()) for name, column in values.items()}
    said = stored.record(model, seed=seed, test_queries=N, metrics=means | {"hitrate": 0.5}, **more)
    run = folder / "runs" / said.stem
    run.mkdir(parents=True)
    np.savez(run / records.LISTS, **values)
    records.write(run, said)
    return run, values


def row(folder):
    """The one row of the one board."""
    ((board,),) = read_boards(folder)
    (found,) = board.rows
    return found


@pytest.fixture
def warnings(monkeypatch):
    said = []
    monkeypatch.setattr(progress, "warn_once", said.append)
    return said


def test_a_row_keeps_the_means_over_its_seeds_without_its_lists(tmp_path):
    runs, values = zip(*[keep_run(tmp_path, seed=seed) for seed in range(3)], strict=True)
    queries.keep(row(tmp_path))
    for run in runs:
        (run / records.LISTS).unlink()
    found = queries.read(row(tmp_path))
    assert set(found) == set(SHOWN)
    for name, column in found.items():
        assert column.dtype == np.float16
        exact = np.mean([each[name] for each in values], axis=0)
        assert column.astype(float) == pytest.approx(exact, rel=2**-11, abs=1e-7)
    assert queries.path(row(tmp_path)).name == f"{row(tmp_path).newest.row_stem}.parquet"


def test_an_up_to_date_file_stays_and_one_without_all_lists_too(tmp_path):
    run, _ = keep_run(tmp_path)
    queries.keep(row(tmp_path))
    file = queries.path(row(tmp_path))
    before = file.stat().st_mtime_ns
    queries.keep(row(tmp_path))
    assert file.stat().st_mtime_ns == before
    (run / records.LISTS).unlink()
    queries.keep(row(tmp_path))
    assert file.stat().st_mtime_ns == before


def other_result(run, record):
    metrics = record.measured.metrics | {"ndcg": record.measured.metrics["ndcg"] + 1e-6}
    records.change(run, replace(record, result=replace(record.measured, metrics=metrics)))


def one_more_seed(run, record):
    (run / records.LISTS).unlink()
    keep_run(run.parent.parent, seed=1)


def fewer_queries(run, record):
    records.change(run, replace(record, dataset=replace(record.dataset, test_queries=N - 1)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (other_result, "has other results now"),
        (one_more_seed, "is about other runs"),
        (fewer_queries, "queries, the runs have"),
    ],
)
def test_a_stale_file_is_named_and_not_used(tmp_path, warnings, change, why):
    run, _ = keep_run(tmp_path)
    queries.keep(row(tmp_path))
    assert queries.read(row(tmp_path)) is not None and not warnings
    change(run, row(tmp_path).newest)
    assert queries.read(row(tmp_path)) is None
    (sentence,) = warnings
    assert "als-" in sentence and why in sentence


def test_no_flipped_bit_changes_what_is_read(tmp_path, warnings):
    keep_run(tmp_path)
    kept = row(tmp_path)
    queries.keep(kept)
    file, whole = queries.path(kept), queries.read(kept)
    content = file.read_bytes()
    for at in [*range(0, len(content), 149), *range(len(content) - 1400, len(content), 23)]:
        damaged = bytearray(content)
        damaged[at] ^= 1 << at % 8
        file.write_bytes(damaged)
        found = queries.read(kept)
        if found is not None:
            assert found.keys() == whole.keys() and all((found[name] == whole[name]).all() for name in whole)
    assert len(warnings) > 50 and all("damaged" in each for each in warnings)


def test_a_metric_that_is_defined_anew_since_is_left_out(tmp_path):
    run, _ = keep_run(tmp_path)
    record = row(tmp_path).newest
    metrics = record.measured.metrics | {"map": 0.25}
    records.change(run, replace(record, result=replace(record.measured, metrics=metrics)))
    queries.keep(row(tmp_path))
    assert set(queries.read(row(tmp_path))) == set(SHOWN) - {"map"}


def test_git_takes_them_but_not_those_of_ones_own_runs():
    def ignored(path):
        return not subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT).returncode

    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("no checkout")
    assert not ignored("results/gowalla/queries/als-0.parquet")
    assert ignored("results/local/gowalla/queries/als-0.parquet")
    assert ignored("results/gowalla/runs/als-0/lists.parquet")
