"""Costs measured again: of official rows, in one go, on one machine."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import isolation, records, runner, timings
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
    assert (
        "theirs-seed0" in (said := capsys.readouterr().out) and "left out, for only the suite's own" in said
    )
    assert "to the last bit" not in said
    assert timings.measure(folder, lambda about: DATA) == 0, "what was measured stays"
    assert timings.measure(folder, lambda about: DATA, anew=True) == 1
    assert records.read(folder / "runs" / record.stem) == before, "records are as they were"


def test_rows_whose_settings_come_to_the_same_are_fitted_once(board, capsys):
    folder, record = board
    kept(folder, settings={"half_life_days": 3.0}, resolved=record.resolved, by="budget")
    kept(folder, settings={"half_life_days": 5.0}, resolved={"half_life_days": 5.0}, by="budget")
    assert timings.measure(folder, lambda about: DATA) == 3
    costs = timings.read(folder).costs
    assert len(costs) == 3 and len({str(each) for each in costs.values()}) == 2
    assert capsys.readouterr().out.count("for its settings come to the same") == 1
    del costs[record.stem]
    timings.write(folder, replace(timings.read(folder), costs=costs))
    assert timings.measure(folder, lambda about: DATA) == 1
    assert timings.read(folder).costs[record.stem] in costs.values()


def test_another_machine_begins_anew(board):
    folder, _ = board
    timings.measure(folder, lambda about: DATA)
    old = timings.read(folder)
    elsewhere = {stem: replace(costs, threads=9) for stem, costs in old.costs.items()}
    timings.write(folder, replace(old, costs=elsewhere))
    assert timings.measure(folder, lambda about: DATA) == 1
    assert timings.read(folder).machine == old.machine


def test_a_run_that_took_the_place_of_the_measured_one_is_measured(board):
    folder, record = board
    timings.measure(folder, lambda about: DATA)
    found = timings.read(folder)
    assert found.knows(record)
    again = replace(record, date="2100-01-01 00:00 UTC")
    records.change(folder / "runs" / record.stem, again)
    assert not found.knows(again) and timings.measure(folder, lambda about: DATA) == 1
    assert timings.read(folder).knows(again) and not timings.read(folder).knows(record)


@pytest.mark.parametrize(("measured_on", "known"), [("2026-11-24", False), ("2026-11-25", True)])
def test_timings_without_dates_of_runs_are_of_those_before_them(measured_on, known):
    record = replace(stored.record("als"), date="2026-11-25 10:00 UTC")
    assert timings.Timings("here", measured_on, {record.stem: stored.COSTS}).knows(record) is known


def test_seconds_with_a_gpu_stay_where_the_gpu_is(board, monkeypatch):
    folder, record = board
    timings.measure(folder, lambda about: DATA)
    found = timings.read(folder)
    with_gpu = {record.stem: replace(record.costs, processor=f"{record.costs.processor} with a GPU")}
    timings.write(folder, replace(found, costs=with_gpu))
    for name, count in (("a GPU", 0), ("another", 1)):
        gpu = SimpleNamespace(shares_main_memory=False, may_be_here=lambda: True, is_here=lambda: True)
        gpu.hardware = lambda name=name: name
        monkeypatch.setattr(timings, "DEVICES", {"cuda": gpu})
        assert timings.measure(folder, lambda about: DATA) == count


def test_a_row_that_fails_is_named_and_the_others_measured(board, monkeypatch, capsys):
    folder, record = board
    kept(folder, settings={"half_life_days": 3.0})
    measured = timings.measured

    def failing(about, data):
        if about.stem != record.stem:
            raise isolation.Crash("out of memory")
        return measured(about, data)

    monkeypatch.setattr(timings, "measured", failing)
    assert timings.measure(folder, lambda about: DATA) == 1
    assert list(timings.read(folder).costs) == [record.stem]
    assert ": failed: out of memory" in capsys.readouterr().out


def test_how_long_it_may_take_is_said_first_and_whose_seconds_give_way(board, capsys):
    folder, record = board
    here = record.costs.machine
    costs = replace(record.costs, fit_seconds=600.0, recommend_seconds=120.0)
    path = folder / "runs" / record.stem
    records.change(path, replace(record, result=replace(record.measured, costs=costs)))
    timings.measure(folder, lambda about: DATA)
    said = capsys.readouterr().out
    assert said.startswith(f"{folder.name}: 1 row to fit and rank again; their runs took 12 min\n")
    assert "the runs were on" not in said
    elsewhere = replace(costs, threads=9)
    records.change(path, replace(record, result=replace(record.measured, costs=elsewhere)))
    timings.measure(folder, lambda about: DATA, anew=True)
    told = f"the runs were on {elsewhere.machine}, and its pages will have the seconds of {here} alone\n"
    assert told in capsys.readouterr().out


def test_a_board_without_official_rows_is_told_what_they_are(tmp_path, capsys):
    kept(tmp_path, by="hand")
    assert timings.measure(tmp_path, lambda about: DATA) == 0
    assert "no row to measure; those by --defaults and by --budget are official" in capsys.readouterr().out


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
