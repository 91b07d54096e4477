"""Runs that cannot be are refused in one sentence, before any begins."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.baselines.als import check_size
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import refusals
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.system import memory

ADVICE = {
    "item_cf": "lower top_k by --set item_cf.top_k=20",
    "swing": "lower top_k by --set swing.top_k=20",
    "rp3beta": "--set rp3beta.top_k=20",
    "ease": "--set ease.candidates=200",
    "als": "--set als.factors=32",
    "user_knn": "choose a smaller log",
}


def job(name):
    values = settings.defaults(registry.get(name))
    return Job(ModelSource(name), values, 0, 20, "cpu", "fp32")


@pytest.mark.parametrize("name", ADVICE)
def test_refused_with_advice(name, monkeypatch):
    dataset = planted()
    refusals.check([job(name)], dataset)
    monkeypatch.setattr(memory, "available", lambda: 100)
    said = f"{name}: to fit .* MiB of memory, 0 MiB are free: .*{ADVICE[name]}"
    with pytest.raises(InputError, match=said):
        refusals.check([job("global_hot"), job(name)], dataset)
    with pytest.raises(InputError, match=said):
        harness.fit(settings.build(registry.get(name), job(name).settings), dataset, 0)


def test_a_run_of_a_later_seed_is_refused_too_and_each_setting_is_looked_at_once(monkeypatch):
    later = [replace(job("item_cf"), seed=seed) for seed in (3, 4)]
    looked = []
    monkeypatch.setattr(refusals, "check_memory", lambda *given: looked.append(given))
    refusals.check([*later, job("swing")], planted())
    assert [type(model).__name__ for model, *_ in looked] == ["ItemCF", "Swing"]


def test_data_without_times_is_told_where_no_model_can_do_without_them():
    train = replace(planted().train_valid, timestamp=None)
    aged = replace(job("global_hot"), settings={"half_life_days": 7.0})
    reason = "global_hot.half_life_days=7 needs the time of each interaction, which this dataset does not"
    with pytest.raises(InputError, match=reason):
        refusals.check_data([aged, job("popular_window")], train)
    refusals.check_data([job("popular_window"), job("global_hot")], train)
    refusals.check_data([aged, job("popular_window")], planted().train_valid)
    with pytest.raises(InputError, match="popular_window needs the time of each interaction"):
        settings.build(registry.get("popular_window"), job("popular_window").settings).fit(train, None, 0)


def test_what_implicit_cannot_count():
    check_size(2**31 - 1)
    with pytest.raises(InputError, match="2,147,483,648 interactions, implicit counts them in 32 bits"):
        check_size(2**31)
