"""Choosing settings: equal budgets, what is tried first, going on, giving up, and what is written down."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import optuna
import pytest

import baselines  # noqa: F401  (importing registers its models)
import neural  # noqa: F401
from evaluation import registry, search_space, settings, tuning
from evaluation.planted import planted
from evaluation.runs import Job, ModelSource
from evaluation.trial import Trial, Watch, attempt
from evaluation.tuning import Budget, Search, tune
from neural import InfoNCE
from support import progress
from support.errors import InputError

DATA = planted()
SOURCE = ModelSource("Tunable", f"{Path(__file__).parent / 'models.py'}:Tunable")
FEW = Budget(4, 60.0)


@pytest.fixture(autouse=True)
def quiet():
    progress.configure(quiet=True)


def job(**changed):
    model = SOURCE.load()
    return Job(SOURCE, settings.resolve(model, changed, "here"), 0, 20, "cpu", "fp32")


@pytest.fixture
def here(monkeypatch):
    """Trials in this process: the tests are of the search."""
    monkeypatch.setattr(tuning.isolation, "call", in_this_process)


def in_this_process(function, *args):
    try:
        return function(*args)
    except ValueError as error:
        raise tuning.isolation.Crash(f"ValueError: {error}") from error


def tried(folder):
    """The settings of each trial that was written down."""
    (record,) = (folder / "tuning").glob("*.json")
    return [trial["settings"] for trial in json.loads(record.read_text())["trials"]]


def test_the_best_of_the_trials_is_chosen(here, tmp_path):
    choice = tune(job(place=1.5, size=4, fixed=7), DATA, tmp_path, Budget(8, 60.0), "Tunable")
    settings_tried = tried(tmp_path)
    assert settings_tried[:2] == [{"place": 3.0, "size": 2}, {"place": 1.5, "size": 4}]
    assert len(settings_tried) == 8 and len({str(each) for each in settings_tried}) == 8
    best = min(settings_tried, key=lambda each: abs(each["place"] - 1))
    assert abs(best["place"] - 1) < 0.5
    (record,) = (tmp_path / "tuning").glob("*.json")
    scored = [each for each in json.loads(record.read_text())["trials"] if "ndcg" in each]
    winner = max(scored, key=lambda each: each["ndcg"])  # the first of equals
    assert choice.settings == winner["settings"] | {"fixed": 7}
    assert choice.chosen.by == "tuning" and choice.chosen.trials == 8
    assert choice.chosen.valid_ndcg == round(winner["ndcg"], 6)


def test_trials_run_in_processes_of_their_own(tmp_path):
    choice = tune(job(), DATA, tmp_path, Budget(1, 60.0), "Tunable")
    assert choice.settings == {"place": 3.0, "size": 2} and 0 < choice.chosen.valid_ndcg < 1


def test_a_search_that_goes_on_finds_what_it_would_have_found(here, tmp_path):
    for trials in (2, 5, 7):
        parts = tune(job(), DATA, tmp_path / "parts", Budget(trials, 60.0), "Tunable")
    whole = tune(job(), DATA, tmp_path / "whole", Budget(7, 60.0), "Tunable")
    assert tried(tmp_path / "parts") == tried(tmp_path / "whole")
    assert replace(parts.chosen, minutes=None) == replace(whole.chosen, minutes=None)
    assert parts.settings == whole.settings


def test_a_finished_search_is_only_looked_up(here, tmp_path, monkeypatch):
    first = tune(job(), DATA, tmp_path, FEW, "Tunable")
    monkeypatch.setattr(tuning.isolation, "call", None)
    # Its winner is now the config's; the search is still the same one.
    assert tune(job(**first.settings), DATA, tmp_path, FEW, "Tunable") == first


def test_an_interrupted_trial_is_tried_again(here, tmp_path, monkeypatch):
    tune(job(), DATA, tmp_path, Budget(3, 60.0), "Tunable")

    def interrupted(function, *args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tuning.isolation, "call", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tune(job(), DATA, tmp_path, FEW, "Tunable")
    tune(job(), DATA, tmp_path, FEW, "Tunable")
    assert len(tried(tmp_path)) == 4
    tune(job(), DATA, tmp_path / "whole", FEW, "Tunable")
    assert tried(tmp_path) == tried(tmp_path / "whole")


def test_other_data_or_fixed_settings_are_another_search(tmp_path):
    names = {
        Search(asked, data, tmp_path).name
        for asked in (job(), job(fixed=1))
        for data in (DATA, replace(DATA, protocol="time"))
    }
    assert len(names) == 4
    assert Search(job(place=2.0), DATA, tmp_path).name in names


def test_a_failed_trial_counts_and_is_told(here, tmp_path):
    broken = replace(job(), settings=job().settings | {"place": 3.75})
    tune(broken, DATA, tmp_path, Budget(2, 60.0), "Tunable")
    (record,) = (tmp_path / "tuning").glob("*.json")
    good, bad = json.loads(record.read_text())["trials"]
    assert (good["state"], bad["state"]) == ("complete", "fail")
    assert bad["reason"] == "ValueError: place 3.75 is too far" and "ndcg" not in bad


def test_nothing_to_choose_on(here, tmp_path):
    without = replace(DATA, valid=DATA.valid.take(slice(0, 0)))
    with pytest.raises(InputError, match="planted: there are no validation queries to choose settings on"):
        tune(job(), without, tmp_path, FEW, "Tunable")


def test_every_trial_failed(tmp_path, monkeypatch):
    def crash(function, *args):
        raise tuning.isolation.Crash("no memory")

    monkeypatch.setattr(tuning.isolation, "call", crash)
    with pytest.raises(InputError, match="no trial came to its end: no memory"):
        tune(job(), DATA, tmp_path, Budget(2, 60.0), "Tunable")


def test_the_time_limit_ends_a_search_after_its_first_trial(here, tmp_path):
    assert tune(job(), DATA, tmp_path, Budget(9, 0.0), "Tunable").chosen.trials == 1


@pytest.mark.parametrize("name", registry.names())
def test_every_models_space_holds_its_defaults(name):
    model = registry.get(name)
    space = search_space.distributions(model)
    assert search_space.within(space, settings.defaults(model)) == {
        key: value for key, value in settings.defaults(model).items() if key in space
    }


def test_spaces_that_are_none(monkeypatch):
    model = SOURCE.load()
    for space, message in (
        ({"plce": [1]}, "there is no setting 'plce'"),
        ({"place": (4.0, 0.0)}, "give it as a list of choices"),
        ({"place": []}, "give it as a list of choices"),
        ({"place": "log"}, "give it as a list of choices"),
    ):
        monkeypatch.setattr(model, "search_space", space)
        with pytest.raises(InputError, match=re.escape(message)):
            search_space.distributions(model)
    assert search_space.rounded({"a": 0.123456, "b": 3, "c": "x"}) == {"a": 0.1235, "b": 3, "c": "x"}


def test_a_hopeless_training_is_given_up(tmp_path):
    storage = f"sqlite:///{tmp_path / 'db'}"
    study = optuna.create_study(storage=storage, study_name="x", direction="maximize")
    for score in (0.5, 0.6, 0.7, 0.8, 0.9):
        trial = study.ask()
        for stage in range(1, 10):
            trial.report(score, stage)
        study.tell(trial, score)
    slow = settings.resolve(InfoNCE, {"epochs": 10, "learning_rate": 1e-9}, "here")
    quick = Job(ModelSource("infonce"), slow, 0, 20, "cpu", "fp32")
    trial = study.ask()
    assert attempt(Trial(quick, DATA, storage, "x", trial._trial_id)) is None
    reported = study.trials[-1].intermediate_values
    assert max(reported) == 3 and 0 < max(reported.values()) < 0.7


def test_a_watch_reports_each_tenth_once_and_not_the_end():
    class Told:
        reports: ClassVar[list] = []

        def report(self, score, stage):
            self.reports.append((stage, score))

        def should_prune(self):
            return False

    watch = Watch(Told())
    for done, score in ((0.05, 0.1), (0.1, 0.2), (0.15, 0.3), (0.5, 0.4), (1.0, 0.5)):
        watch(done, score)
    assert Told.reports == [(1, 0.2), (5, 0.4)]
