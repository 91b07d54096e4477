"""Defaults on datasets that no rule was chosen on: what is stored, and its table."""

from dataclasses import replace

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.tuning.trial_records import TrialRecord, TuningRecord
from retrieval_leaderboard.studies import held_out
from retrieval_leaderboard.studies.held_out import HeldOut
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


def test_searches_of_boards_take_the_place_of_stored_scores(tmp_path, monkeypatch):
    of_boards = {(each.dataset, each.model): each for each in held_out.read()}
    monkeypatch.setattr(held_out, "BOARDS", tmp_path)
    stored = {(each.dataset, each.model) for each in held_out.read()}
    towers = {model for _, model in set(of_boards) - stored}
    assert {"bsl", "infonce"} <= towers
    assert all(of_boards[each].commit for each in stored), "one that a board has searched stands for nothing"


def test_a_search_has_the_defaults_among_its_trials(monkeypatch):
    have_runs_here(monkeypatch)
    data = replace(planted(), name="mine")
    found = held_out.measure(data, "item_cf", 2)
    assert found.trials == 2 and found.tuned >= found.defaults > 0
    assert held_out.measure(data, "item_cf", 0).tuned is None
    assert held_out.measure(data, "global_hot", 2).tuned is None
