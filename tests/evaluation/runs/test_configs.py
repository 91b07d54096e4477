"""Provenance settings and how they were chosen, read from and written to YAML."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.evaluation.runs.configs import TunedConfig
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.reports.test_data_section import PROFILE


def data(protocol, exclude_seen):
    return replace(planted(), protocol=protocol, exclude_seen=exclude_seen)


BY_TIME = data("time", True)


def test_a_policys_own_section_goes_before_the_protocols(tmp_path):
    path = tmp_path / "data.yaml"
    assert configs.read(path, BY_TIME) == {}
    path.write_text(
        "time:\n  als: {settings: {factors: 32}, provenance: {by: hand, trials: 3, date: 2026-01-02}}\n"
        "  swing: {settings: {}}\n"
        "time, seen items kept:\n  als: {settings: {factors: 16}}\n"
    )
    als = TunedConfig({"factors": 32}, Provenance("hand", trials=3, date="2026-01-02"))
    assert configs.read(path, BY_TIME) == {"als": als, "swing": TunedConfig({}, Provenance("hand"))}
    assert configs.read(path, data("time", False))["als"] == TunedConfig({"factors": 16}, Provenance("hand"))
    assert configs.read(path, data("published", True)) == {}


def test_resolved_has_every_setting(tmp_path):
    path = tmp_path / "data.yaml"
    path.write_text("time:\n  als: {settings: {factors: 32}}\n")
    als, swing = (configs.resolved(registry.get(name), [path], BY_TIME) for name in ("als", "swing"))
    assert als.settings["factors"] == 32 and als.settings["iterations"] == 15
    assert swing.provenance == Provenance("defaults") and swing.settings["alpha"] == 3.0
    path.write_text("time:\n  als: {settings: {factor: 32}}\n")
    with pytest.raises(InputError, match=r"data\.yaml 'factor': did you mean 'factors'"):
        configs.resolved(registry.get("als"), [path], BY_TIME)


def test_written_entries_read_back_and_leave_the_others(tmp_path):
    path = tmp_path / "configs" / "data.yaml"
    tuned = TunedConfig(
        {"top_k": 50, "shared": True},
        Provenance("tuning", 30, valid_ndcg=0.12345, minutes=2.5, date="2026-11-25"),
    )
    configs.write(
        path, "time", "item_cf", TunedConfig({"top_k": 20}, Provenance("hand", note="as published: x"))
    )
    configs.write(path, "next-item", "item_cf", tuned)
    configs.write(path, "time", "swing", tuned)
    configs.write(path, "time", "swing", TunedConfig({"alpha": 2.0}, tuned.provenance))
    assert configs.read(path, data("next-item", False)) == {"item_cf": tuned}
    assert configs.read(path, BY_TIME) == {
        "item_cf": TunedConfig({"top_k": 20}, Provenance("hand", note="as published: x")),
        "swing": TunedConfig({"alpha": 2.0}, tuned.provenance),
    }
    assert path.read_text().startswith("# Settings tuned")


def test_an_unusual_policy_has_a_section_of_its_own():
    sections = [
        configs.section(data(protocol, seen)) for protocol in ("time", "next-item") for seen in (True, False)
    ]
    assert sections == ["time", "time, seen items kept", "next-item, seen items excluded", "next-item"]


def test_an_unusual_order_of_ties_has_a_section_of_its_own_and_reads_the_usual_one(tmp_path):
    told = replace(data("next-item", False), ties="source"), replace(data("next-item", True), ties="source")
    assert [configs.section(each) for each in told] == [
        "next-item, ties as in the source",
        "next-item, ties as in the source, seen items excluded",
    ]
    path = tmp_path / "mine.yaml"
    usual, other = TunedConfig({"alpha": 1.0}), TunedConfig({"alpha": 2.0})
    configs.write(path, "next-item", "swing", usual)
    assert configs.read(path, told[0]) == {"swing": usual}
    configs.write(path, configs.section(told[0]), "swing", other)
    assert configs.read(path, told[0]) == {"swing": other}
    assert configs.read(path, data("next-item", False)) == {"swing": usual}


def test_how_it_was_chosen_in_words():
    tuned = Provenance("tuning", 30, valid_ndcg=0.12345, minutes=2.5, date="2026-11-25")
    assert (tuned.brief, Provenance("hand", 4).brief, Provenance().brief) == (
        "tuned, 30 trials",
        "manual, 4 trials",
        "defaults",
    )
    assert tuned.summary() == "tuned, 30 trials, validation NDCG@20 0.1235, 2.5 min, 2026-11-25"
    again = replace(tuned, different=7, cap_minutes=60.0)
    assert (
        again.summary()
        == "tuned, 30 trials of 7 settings, validation NDCG@20 0.1235, 2.5 min (limit 60), 2026-11-25"
    )
    assert Provenance("hand", note="as published").summary() == "manual, as published"
    unrecorded = Provenance("hand", 96, at_least=True, pruned=13)
    assert unrecorded.brief == "manual, at least 96 trials"
    assert unrecorded.summary() == "manual, at least 96 trials, 13 of them pruned"
    assert Provenance(**unrecorded.as_dict()) == unrecorded
    assert Provenance(**tuned.as_dict()) == tuned
    assert Provenance("hand").as_dict() == {"by": "hand"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time: [als\n", r"data\.yaml.*: it is not valid YAML"),
        ("- time\n", "map protocols to models"),
        ("time:\n- als\n", "map protocols to models"),
        ("tme:\n  als: {}\n", r"protocol in .*data\.yaml 'tme': did you mean 'time'"),
        ("time, seen items exluded: {}\n", "did you mean 'time, seen items excluded'"),
        ("time:\n  als: {settings: {mlp: 1024-64-32}}\n", r"data\.yaml.*: it is not valid YAML"),
        ("time:\n  als: 3\n", r"data\.yaml: als: give it as 'settings"),
        ("time:\n  als: {factors: 32}\n", r"data\.yaml: als: give it as 'settings"),
        ("time:\n  als: {setings: {}}\n", "'setings': did you mean 'settings'"),
        ("time:\n  als: {provenance: {trails: 3}}\n", r"als\.provenance 'trails': did you mean 'trials'"),
        ("time:\n  als: {provenance: {trials: many}}\n", r"als\.provenance\.trials: many is not"),
        ("time:\n  als: {provenance: {trials: true}}\n", r"als\.provenance\.trials: True is not"),
        ("time:\n  als: {provenance: {at_least: 3}}\n", r"als\.provenance\.at_least: 3 is not"),
        ("time:\n  als: {provenance: {cap_minutes: .inf}}\n", r"als\.provenance\.cap_minutes: inf is not"),
        ("time:\n  als: {provenance: {no: 3}}\n", r"als\.provenance 'False'"),
        ("time:\n  als: {provenance: {by: luck}}\n", r"als\.provenance\.by 'luck'"),
    ],
)
def test_what_is_no_config_is_refused(tmp_path, text, message):
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        configs.read(path, BY_TIME)


def test_a_users_config_is_laid_over_the_shipped_one(tmp_path, monkeypatch):
    monkeypatch.setattr(configs, "SHIPPED", tmp_path / "shipped")
    hand = Provenance("hand")
    for model, settings in (("als", {"factors": 16}), ("swing", {"alpha": 2.0})):
        configs.write(tmp_path / "shipped" / "mine.yaml", "time", model, TunedConfig(settings, hand))
    configs.write(tmp_path / "own" / "mine.yaml", "time", "als", TunedConfig({}, hand))
    layers = configs.layers(tmp_path / "own", "mine")
    als, swing = (configs.resolved(registry.get(name), layers, BY_TIME).settings for name in ("als", "swing"))
    assert als["factors"] == registry.get("als").factors, "an entry goes before another as a whole"
    assert swing["alpha"] == 2.0
    assert configs.layers(tmp_path / "shipped", "mine") == [tmp_path / "shipped" / "mine.yaml"]


def test_a_choice_for_other_data_says_so(tmp_path, capsys):
    path, als = tmp_path / "mine.yaml", registry.get("als")
    here, there = data("time", True), replace(data("time", True), split_seed=7)
    chosen = Provenance("tuning", 3, fingerprint=here.fingerprint)
    configs.write(path, "time", "als", TunedConfig({"factors": 16}, chosen))
    assert configs.resolved(als, [path], here).provenance.brief == "tuned, 3 trials"
    assert capsys.readouterr().out == ""
    assert configs.resolved(als, [path], there).provenance.brief == "tuned, 3 trials, other data"
    assert "als was tuned on other data" in capsys.readouterr().err


def test_settings_tuned_on_the_whole_are_of_other_data_where_a_filter_is(tmp_path, capsys):
    path, whole = tmp_path / "any.yaml", replace(planted(), profile=PROFILE)
    tuned = TunedConfig({"factors": 32}, Provenance("tuning", trials=3))
    configs.write(path, whole.protocol, "als", tuned)
    als, filtered = registry.get("als"), replace(whole, profile=replace(PROFILE, filters=["10-core: 1"]))
    assert configs.resolved(als, [path], whole).provenance.brief == "tuned, 3 trials"
    assert configs.resolved(als, [path], filtered).provenance.brief == "tuned, 3 trials, other data"
    assert "other data (the dataset without filters or target)" in capsys.readouterr().err


def test_settings_tuned_on_other_data_do_not_hide_those_of_these(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(configs, "SHIPPED", tmp_path / "shipped")
    here, there = data("time", True), replace(data("time", True), split_seed=7)
    layers, als = configs.layers(tmp_path / "own", "mine"), registry.get("als")
    for path, of, factors in zip(layers, (there, here), (16, 32), strict=True):
        made = Provenance("budget", 3, fingerprint=of.fingerprint)
        configs.write(path, "time", "als", TunedConfig({"factors": factors}, made))
    found = configs.resolved(als, layers, here)
    assert found.settings["factors"] == 32 and found.provenance.official
    assert configs.resolved(als, layers, there).settings["factors"] == 16
    assert configs.resolved(als, layers[:1], here).provenance.other_data
    assert capsys.readouterr().out == ""
    configs.write(
        layers[0], "time", "als", TunedConfig({}, Provenance("budget", fingerprint=here.fingerprint))
    )
    assert (
        f"replaces the settings of als that were tuned on other data ({there.fingerprint})"
        in capsys.readouterr().out
    )
