"""What is trained is what is written: settings left to rules, and the plain values they come to."""

from dataclasses import fields
from typing import get_type_hints

import numpy as np
import pytest

from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.models.fields import AUTO, concrete_type
from retrieval_leaderboard.evaluation.planted import planted

DATA = planted()
SMALL = {"embedding_dim": 8, "batch_size": 16, "patience": 1}


def small(name: str) -> dict:
    return {key: value for key, value in SMALL.items() if key in settings.defaults(registry.get(name))}


@pytest.mark.parametrize("name", registry.names())
def test_a_run_of_the_resolved_settings_gives_the_same_lists(name: str) -> None:
    model = registry.get(name)
    asked = settings.build(model, settings.resolve(model, small(name), "--set"))
    found = asked.resolve(DATA.train, DATA.valid)
    assigned = settings.parse_assignments(f"{name}.{key}={value}" for key, value in found.items())
    written = settings.build(model, settings.resolve(model, assigned.get(name, {}), "--set"))
    left = {"popularity_exponent"} & {key for key, value in found.items() if value == AUTO}
    assert AUTO not in {key: value for key, value in found.items() if key not in left}.values()
    assert written.resolve(DATA.train, DATA.valid) == found
    later = written.resolve(DATA.train_valid, None)
    assert all(later[key] == found[key] for key in found.keys() - left) and AUTO not in later.values()
    lists = []
    for each in (asked, written):
        harness.fit(each, DATA, 3)
        lists.append(each.recommend(DATA.test, 10))
    for one, other in zip(*lists, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", registry.names())
def test_every_setting_that_may_be_auto_has_a_rule(name: str) -> None:
    model = registry.get(name)
    types = get_type_hints(model)
    may_be = {each.name for each in fields(model) if each.default == AUTO}
    may_be |= {name for name in settings.defaults(model) if concrete_type(types[name]) is not types[name]}
    assert may_be == set(model.rules)


@pytest.mark.parametrize("old, new", settings.RENAMED.items())
def test_old_names_are_told_by_their_new_ones(old: str, new: str) -> None:
    models = [registry.get(name) for name in registry.names()]
    of = [model for model in models if new in settings.defaults(model)]
    for model in of:
        with pytest.raises(settings.InputError, match=f"--set: {model.name}.{old} is called {new} now"):
            settings.resolve(model, {old: "1"}, "--set")
    if not of:
        with pytest.raises(settings.InputError, match=f"--set: bsl.{KEYS[old]}: {old} is called {new} now"):
            settings.resolve(registry.get("bsl"), {KEYS[old]: old}, "--set")


KEYS = {"placed": "history_encoder", "position": "examples"}


@pytest.mark.parametrize("old, instead", settings.GONE.items())
def test_settings_that_are_gone_say_what_holds_instead(old: str, instead: str) -> None:
    with pytest.raises(settings.InputError, match=f"infonce.{old} is no setting any more: {instead}"):
        settings.resolve(registry.get("infonce"), {old: "1"}, "--set")


@pytest.mark.parametrize("assignment, said", [
    ("infonce.temperature=0", "give more than 0, or auto"),
    ("bsl.negative_weight=0.0", "give more than 0, or auto"),
    ("infonce.neighbors=-1", "give 0 or more, or auto"),
    ("infonce.epochs=0", "give 1 or more, or auto"),
    ("infonce.epochs=many", "it must be a whole number, or auto"),
    ("item_cf.top_k=0", "give 1 or more, or auto"),
    ("swing.target_exponent=-1", "give 0 or more, or auto"),
    ("als.factors=0", "give 1 or more, or auto"),
])  # fmt: skip
def test_numbers_that_once_stood_for_a_rule_are_refused(assignment: str, said: str) -> None:
    ((name, given),) = settings.parse_assignments([assignment]).items()
    with pytest.raises(settings.InputError, match=said):
        settings.resolve(registry.get(name), given, "--set")
