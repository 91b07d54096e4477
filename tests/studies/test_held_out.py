"""Defaults on datasets that no rule was chosen on: what is stored, and its table."""

from dataclasses import asdict, replace

import pytest

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.tuning import trial_records
from retrieval_leaderboard.evaluation.tuning.trial_records import TrialRecord, TuningRecord
from retrieval_leaderboard.studies import held_out
from retrieval_leaderboard.studies.held_out import HeldOut
from retrieval_leaderboard.support.storage import sealed
from tests.evaluation.runs.in_process import have_runs_here

SCORES = [
    HeldOut("mine: random", "global_hot", 0.01, None, 0, "A processor", ""),
    HeldOut("mine: random", "item_cf", 0.095, 0.1, 8, "A processor", ""),
    HeldOut("mine: random", "bsl", 0.09, None, 0, "A processor", ""),
]


def rows(scores):
    lines = held_out.table(scores).splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_table():
    assert rows(SCORES) == [
        ["mine: random", "item_cf", "0.0100", "0.0950", "0.1000", "95.0%", "8"],
        ["mine: random", "bsl", "0.0100", "0.0900", "–", "–", "–"],
    ]


def test_no_stored_default_is_below_popularity():
    stored = held_out.read()
    popular = {each.dataset: each.defaults for each in stored if each.model == held_out.POPULARITY}
    assert set(popular) and {each.dataset for each in stored} == set(popular)
    assert all(each.defaults >= popular[each.dataset] for each in stored)
    assert all(each.tuned is None or each.tuned >= each.defaults for each in stored)


def test_a_search_by_a_budget_begins_with_the_defaults():
    trials = [
        ("complete", {"ndcg": 0.2}),
        ("fail", {}),
        ("complete", {"ndcg": 0.3}),
        ("complete", {"ndcg": 0.1}),
    ]
    trials = tuple(TrialRecord(state, {}, 1.0, metrics) for state, metrics in trials)
    search = TuningRecord("", "bsl", 0, "cpu", "fp32", "mine: random", {}, "A processor", {}, trials, 1, 5.0)
    found = held_out.of_search(search)
    assert (found.defaults, found.tuned, found.trials) == (0.2, 0.3, 4)


@pytest.mark.parametrize(("today", "tuned"), [(0.25, 0.3), (0.35, 0.35)])
def test_a_search_of_a_board_is_compared_with_the_defaults_of_today(today, tuned, tmp_path, monkeypatch):
    monkeypatch.setattr(held_out, "RECORDS", tmp_path / "records")
    monkeypatch.setattr(held_out, "BOARDS", tmp_path)
    trials = (
        TrialRecord("complete", {}, 1.0, {"ndcg": 0.2}),
        TrialRecord("complete", {}, 1.0, {"ndcg": 0.3}),
    )
    search = TuningRecord("", "bsl", 0, "cpu", "fp32", "mine: random", {}, "A processor", {}, trials, 1, 5.0)
    trial_records.write(tmp_path / "yelp2018" / "tuning" / "bsl-1.json", search)
    assert held_out.read() == [held_out.of_search(search)]
    measured = HeldOut("mine: random", "bsl", today, None, 0, "A processor", "1234567")
    sealed.write(tmp_path / "records" / "mine-bsl.json", asdict(measured))
    assert [(each.defaults, each.tuned, each.trials) for each in held_out.read()] == [(today, tuned, 2)]


def test_a_search_has_the_defaults_among_its_trials(monkeypatch):
    have_runs_here(monkeypatch)
    data = replace(planted(), name="mine")
    found = held_out.measure(data, "item_cf", 2)
    assert found.trials == 2 and found.tuned >= found.defaults > 0
    assert held_out.measure(data, "item_cf", 0).tuned is None
    assert held_out.measure(data, "global_hot", 2).tuned is None
