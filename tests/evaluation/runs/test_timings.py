"""Costs measured again: of official rows, in one go, on one machine."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import records, runner, timings
from retrieval_leaderboard.evaluation.runs.runner import CheckpointPolicy, Job, ModelSource
from tests.evaluation import stored
from tests.evaluation.runs.in_process import have_runs_here

DATA = planted()


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A run of Global Hot, in this process."""
    have_runs_here(monkeypatch)
    job = Job(ModelSource("global_hot"), {"half_life_days": 0.0}, 0, 20, "cpu", "fp32")
    record = runner.run(job, DATA, tmp_path, "x", True, CheckpointPolicy())
    assert record.is_done
    return tmp_path, record


def kept(folder, **changed):
    record = stored.record(
        **{"model": "global_hot", "dataset": DATA, "settings": {"half_life_days": 0.0}} | changed
    )
    stored.keep(folder / "runs" / record.stem, record)


def test_every_official_row_is_measured_once(board, capsys):
    folder, record = board
    before = records.read(folder / "runs" / record.stem)
    kept(folder, seed=1)
    kept(folder, settings={"half_life_days": 3.0}, by="hand")
    kept(folder, model="theirs", code="abc")
    assert timings.measure(folder, lambda about: DATA) == 1
    found = timings.read(folder)
    assert list(found.costs) == [record.stem] and found.machine == found.costs[record.stem].machine
    assert found.costs[record.stem] != record.costs
    assert "theirs-seed0" in (said := capsys.readouterr().out) and "left out, the file of its model" in said
    assert "to the last bit" not in said
    assert timings.measure(folder, lambda about: DATA) == 0, "what was measured stays"
    assert timings.measure(folder, lambda about: DATA, anew=True) == 1
    assert records.read(folder / "runs" / record.stem) == before, "records are as they were"


def test_another_machine_begins_anew(board):
    folder, _ = board
    timings.measure(folder, lambda about: DATA)
    old = timings.read(folder)
    timings.write(folder, replace(old, machine="another, 9 threads"))
    assert timings.measure(folder, lambda about: DATA) == 1
    assert timings.read(folder).machine == old.machine


def test_other_results_and_other_data_are_said(board, capsys):
    folder, record = board
    path = folder / "runs" / record.stem
    metrics = record.measured.metrics | {"ndcg": 0.123}
    records.change(path, replace(record, result=replace(record.measured, metrics=metrics)))
    timings.measure(folder, lambda about: DATA)
    assert f"{record.stem}: its NDCG is not that of its record to the last bit" in capsys.readouterr().out
    assert timings.measure(folder, lambda about: replace(DATA, protocol="time"), anew=True) == 0
    assert "left as it is, it is about data of fingerprint" in capsys.readouterr().out


def test_damaged_timings_are_named_and_measured_anew(board, capsys):
    folder, _ = board
    (folder / timings.TIMINGS).write_text('{"machine": 3}')
    assert timings.read(folder) is None
    assert timings.measure(folder, lambda about: DATA) == 1
