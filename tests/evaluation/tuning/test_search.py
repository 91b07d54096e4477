"""Choosing settings: equal budgets, what is tried first, going on, giving up, and what is written down."""

import json
from dataclasses import replace
from types import SimpleNamespace

import optuna
import pytest

from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.evaluation.tuning import search
from retrieval_leaderboard.evaluation.tuning.budget import Budget
from retrieval_leaderboard.evaluation.tuning.halving import PATIENCE
from retrieval_leaderboard.evaluation.tuning.search import tune
from retrieval_leaderboard.evaluation.tuning.trial import scored
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.runs.in_process import have_runs_here
from tests.evaluation.tuning.searches import DATA, SOURCE, asked, source, tuned, written


def test_what_has_no_effect_on_the_data_is_not_searched():
    unordered = replace(DATA, train=replace(DATA.train, ordered=False))
    more, fewer = (set(asked(data, of=ModelSource("item_cf")).space()) for data in (DATA, unordered))
    assert more - fewer == {"recency"} and not fewer - more


def test_what_differs_in_settings_that_nothing_reads_is_fitted_once(here, tmp_path, monkeypatch):
    fits, fit = [], search.scored
    monkeypatch.setattr(search, "scored", lambda *given: fits.append(given) or fit(*given))
    choice = tuned(asked(given=["place"], of=source("ReadsSizeOne"), place=1.5, size=4), tmp_path, 9)
    sizes = [trial["settings"]["size"] for trial in written(tmp_path)]
    assert len(sizes) == 9 and set(sizes) == {1, 2, 4} and len(fits) == 2
    alike = {str(trial["metrics"]) for trial in written(tmp_path) if trial["settings"]["size"] > 1}
    assert len(alike) == 1
    assert choice.settings["size"] in (1, 4), "as by the job, where nothing reads it"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A search of 14 trials that nothing interrupts: its choice and its trials."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        have_runs_here(patch)
        choice = tuned(asked(place=1.5), folder, 14)
    return choice, written(folder)


def test_the_best_of_the_trials_is_chosen(here, tmp_path):
    choice = tuned(asked(place=1.5, size=4, fixed=7), tmp_path, 8)
    trials = written(tmp_path)
    points = [trial["settings"] for trial in trials]
    assert points[:2] == [{"place": 3.0, "size": 2}, {"place": 1.5, "size": 4}]
    assert len({str(point) for point in points}) == len(points) == 8
    assert min(abs(point["place"] - 1) for point in points) < 0.5
    winner = max(trials, key=lambda trial: trial["metrics"].get("ndcg", 0.0))
    assert choice.settings == winner["settings"] | {"fixed": 7}
    how = choice.provenance
    assert (how.by, how.trials, how.different, how.cap_minutes) == ("tuning", 8, 8, None)
    assert how.valid_ndcg == round(winner["metrics"]["ndcg"], 6)
    assert how.note == "on planted, synthetic: leave-last-one, seen items excluded", "as its board has it"


def test_a_trial_learns_from_train_alone(monkeypatch):
    """The validation queries' truth is not among what it learns from."""
    fits = []

    class Watched(GlobalHot):
        def fit(self, train, valid, seed):
            fits.append((train, valid, seed))
            super().fit(train, valid, seed)

    monkeypatch.setattr(compute, "_current", compute.current())  # A trial sets it for its own process.
    job = Job(SimpleNamespace(load=lambda: Watched), {}, 5, 20, "cpu", "fp32")
    scored(job, DATA)
    ((train, valid, seed),) = fits
    assert (train is DATA.train, valid is DATA.valid, seed) == (True, True, 5)


def test_trials_run_in_processes_of_their_own(tmp_path):
    choice = tuned(asked(), tmp_path, 1)
    assert choice.settings == {"place": 3.0, "size": 2} and 0 < choice.provenance.valid_ndcg < 1


# Beyond ten trials, which are drawn at random, the others' scores decide what is drawn.
def test_a_search_that_goes_on_finds_what_it_would_have_found(here, tmp_path, whole):
    for trials in (1, 5, 11, 14):
        parts = tuned(asked(place=1.5), tmp_path, trials)
    choice, all_trials = whole
    assert written(tmp_path) == all_trials
    assert replace(parts.provenance, minutes=None) == replace(choice.provenance, minutes=None)
    assert parts.settings == choice.settings


@pytest.mark.parametrize(
    ("after", "owner", "name"),
    [
        (0, search.isolation, "call"),
        (1, search.isolation, "call"),
        (12, search.isolation, "call"),
        (0, optuna.Study, "ask"),
        (1, optuna.Study, "tell"),
    ],
    ids=str,
)
def test_an_interrupted_trial_is_tried_again(here, tmp_path, monkeypatch, whole, after, owner, name):
    def interrupted(*args):
        raise KeyboardInterrupt

    if after:
        tuned(asked(place=1.5), tmp_path, after)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            tuned(asked(place=1.5), tmp_path, 14)
    tuned(asked(place=1.5), tmp_path, 14)
    assert written(tmp_path) == whole[1]


def test_a_finished_search_is_only_looked_up_unless_it_begins_anew(here, tmp_path, monkeypatch):
    first = tuned(asked(), tmp_path, 4)
    trials = written(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(search.isolation, "call", None)
        # Its winner is now the config's; the search is still the same one.
        assert tuned(asked(**first.settings), tmp_path, 4) == first
    assert written(tmp_path) == trials
    again = tuned(asked(), tmp_path, 2, anew=True)
    before, newest = sorted((tmp_path / "tuning").glob("*.json"))
    counts = [len(json.loads(path.read_text())["trials"]) for path in (before, newest)]
    assert counts == [4, 2] and again.provenance.trials == 6


def test_a_choice_counts_the_trials_of_earlier_searches(here, tmp_path):
    tuned(asked(given=["size"]), tmp_path, 3)
    tuned(asked(replace(DATA, protocol="time")), tmp_path, 2)
    how = tuned(asked(), tmp_path, 4).provenance
    assert how.trials == 7 and how.different <= 7, "those on other data are not among them"
    (tmp_path / "tuning" / "other.json").write_text('{"trials": 3}')
    with pytest.raises(InputError, match=r"\.json is damaged, or of another version"):
        tuned(asked(), tmp_path, 5)


def test_shipped_trials_count_and_a_better_one_is_told(here, tmp_path):
    shipped = tmp_path / "shipped"
    best = tuned(asked(), shipped, 8).provenance
    assert "another search" not in best.note
    ours = tune(asked(), tmp_path / "mine", Budget(fits=1), shipped=shipped).provenance
    assert ours.trials == 9 and ours.valid_ndcg < best.valid_ndcg
    assert ours.note.endswith(f"; another search on record came to {best.valid_ndcg:.4f}")


def test_other_data_or_fixed_settings_or_spaces_are_another_search(monkeypatch):
    model = SOURCE.load()
    monkeypatch.setattr(ModelSource, "load", lambda self: model)
    questions = (
        asked(),
        asked(given=["size"]),
        asked(given=["size"], size=4),
        asked(replace(DATA, protocol="time")),
    )
    names = [each.name() for each in questions]
    assert asked(place=2.0, size=4).name() == names[0]
    monkeypatch.setattr(model, "search_space", model.search_space | {"place": (0.0, 5.0)})
    assert len({*names, asked().name()}) == 5


def test_what_the_command_sets_is_not_searched(here, tmp_path):
    choice = tuned(asked(given=["place"], place=1.5), tmp_path, 5)
    assert choice.settings["place"] == 1.5
    assert [set(trial["settings"]) for trial in written(tmp_path)] == [{"size"}] * 5
    assert choice.provenance.trials == 5 and choice.provenance.different <= 3
    assert choice.provenance.note.endswith("; set for it: place=1.5")


def test_settings_outside_the_space_are_not_tried_first(here, tmp_path):
    tuned(asked(size=3), tmp_path, 2)
    sizes = [trial["settings"]["size"] for trial in written(tmp_path)]
    assert sizes[0] == 2 and 3 not in sizes


def test_a_failed_trial_counts_and_is_told(here, tmp_path):
    tuned(asked(place=3.75), tmp_path, 2)
    good, bad = written(tmp_path)
    assert (good["state"], bad["state"]) == ("complete", "fail")
    assert bad["reason"] == "ValueError: place 3.75 is too far" and "ndcg" not in bad


def test_every_trial_failed(tmp_path, monkeypatch, capsys):
    def crash(function, *args):
        raise search.isolation.Crash("no memory")

    progress.configure(quiet=False)
    monkeypatch.setattr(search.isolation, "call", crash)
    assert tuned(asked(), tmp_path, 2) is None
    assert "tuning Tunable: no trial came to its end: no memory" in capsys.readouterr().out
    assert [trial["reason"] for trial in written(tmp_path)] == ["no memory"] * 2


def test_a_budget_of_time_counts_its_own_trials_and_ends_where_draws_bring_nothing(here, tmp_path):
    tuned(asked(given=["size"]), tmp_path, 3)
    how = tune(asked(), tmp_path, Budget(60.0)).provenance
    assert tune(asked(), tmp_path, Budget(0.0)).provenance.trials == 1, "another budget is another search"
    trials = json.loads((tmp_path / "tuning" / f"{asked().name(60.0)}.json").read_text())["trials"]
    scores = [trial["metrics"].get("ndcg", 0.0) for trial in trials]
    assert how.trials == len(trials) > PATIENCE and how.by == "budget" and how.official
    assert max(scores[-PATIENCE:]) <= max(scores[:-PATIENCE])
    assert max(scores[-PATIENCE - 1 : -1]) > max(scores[: -PATIENCE - 1]), "a draw earlier it would not"
    assert how.brief == f"budget 60 min, {len(trials)} trials"


def test_the_best_settings_train_for_longer(here, tmp_path):
    choice = tuned(asked(of=source("Trained")), tmp_path, 12)
    trials = written(tmp_path)
    assert trials[0]["settings"] == {"place": 3.0, "epochs": 6}
    lengths = [trial["settings"]["epochs"] for trial in trials]
    assert list(dict.fromkeys(lengths[1:])) == [2, 6, 18]
    assert 1 / 3 * lengths.count(2) + lengths.count(6) + 3 * lengths.count(18) <= 12 + 1e-9
    by_place = {}
    for trial in trials:
        by_place.setdefault(trial["settings"]["epochs"], []).append(trial["settings"]["place"])
    assert set(by_place[18]) < set(by_place[6]) < set(by_place[2])
    assert choice.settings["epochs"] == 18, "what it learns grows with them"
    again = tuned(asked(of=source("Trained"), epochs=18), tmp_path, 12)
    assert again == choice, "with what it found it is no other search"
    fixed = asked(of=source("Trained"), given=["epochs"], epochs=4)
    assert tuned(fixed, tmp_path / "fixed", 3).settings["epochs"] == 4


def test_what_a_model_refuses_to_take_together_is_a_failed_trial(here, tmp_path):
    tuned(asked(of=source("Choosy")), tmp_path, 12)
    refused = [trial for trial in written(tmp_path) if "smaller sizes" in trial.get("reason", "")]
    assert refused and len(written(tmp_path)) == 12
    assert all(trial["settings"]["size"] == 4 and trial["state"] == "fail" for trial in refused)


def test_a_budget_with_settings_that_were_set_is_not_official(here, tmp_path):
    tuned(asked(), tmp_path, 3)
    wanted = asked(given=["place"], place=1.5)
    how = tune(wanted, tmp_path, Budget(minutes=60.0)).provenance
    assert (how.by, how.official, how.cap_minutes) == ("tuning", False, 60.0)
    copy = json.loads((tmp_path / "tuning" / f"{wanted.name(60.0)}.json").read_text())
    assert how.trials == 3 + len(copy["trials"]), "those of other searches count"


def test_a_search_says_on_what_its_trials_were_made_not_on_what_it_was_looked_up(here, tmp_path, monkeypatch):
    threads = compute.current().threads
    tuned(asked(), tmp_path, 2)
    (copy,) = (tmp_path / "tuning").glob("*.json")
    before = copy.read_bytes()
    monkeypatch.setattr(compute, "_current", replace(compute.current(), threads=threads + 6))
    again = tuned(asked(), tmp_path, 2).provenance
    assert copy.read_bytes() == before and again.threads == threads and "trials on" not in again.note
    both = tuned(asked(), tmp_path, 3).provenance
    assert both.threads is None and json.loads(copy.read_text())["threads"] is None
    assert f"; trials on {DEVICES['cpu'].hardware()}, {threads} thread" in both.note
    assert f"{threads + 6} threads" in both.note


def test_a_copy_has_all_trials_where_the_search_was_stopped_or_it_is_damaged(here, tmp_path, monkeypatch):
    tuned(asked(), tmp_path, 2)
    (copy,) = (tmp_path / "tuning").glob("*.json")
    stop_at(3, monkeypatch, lambda: tuned(asked(), tmp_path, 9))
    assert len(json.loads(copy.read_text())["trials"]) == 2
    assert tuned(asked(), tmp_path, 4).provenance.trials == 4
    copy.write_text("{")
    assert tuned(asked(), tmp_path, 4).provenance.trials == 4


def test_trials_stay_on_record_where_what_began_anew_was_interrupted(here, tmp_path, monkeypatch):
    tuned(asked(), tmp_path, 2)
    stop_at(3, monkeypatch, lambda: tuned(asked(), tmp_path, 9))
    stop_at(2, monkeypatch, lambda: tuned(asked(), tmp_path, 3, anew=True))
    assert tuned(asked(), tmp_path, 3, anew=True).provenance.trials == 4 + 1 + 3


def test_a_damaged_copy_of_a_damaged_search_does_not_stop_the_next_one(here, tmp_path):
    tuned(asked(), tmp_path, 2)
    (copy,) = (tmp_path / "tuning").glob("*.json")
    copy.write_text("{")
    database = tmp_path / "tuning.db"
    database.write_bytes(database.read_bytes().replace(b'"state": "COMPLETE"', b'"state": "COMPLETF"'))
    assert tuned(asked(), tmp_path, 2, anew=True).provenance.trials == 2
    assert [path.name for path in (tmp_path / "tuning").glob("*.damaged")]


def test_settings_that_nothing_drawn_reads_are_not_searched():
    sasrec = ModelSource("sasrec")
    space = set(asked(of=sasrec).space())
    assert {"loss", "calibration"} <= space
    assert space - set(asked(of=sasrec, given=["loss"], loss="softmax").space()) == {"loss", "calibration"}
    assert "calibration" in asked(of=sasrec, given=["loss"], loss="gbce").space()


def stop_at(trial, monkeypatch, work):
    """Do `work` until the trial of that number, of those that this call fits, is stopped."""
    fits, call = [], search.isolation.call

    def stopping(*given):
        fits.append(given)
        if len(fits) == trial:
            raise KeyboardInterrupt
        return call(*given)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(search.isolation, "call", stopping)
        work()
