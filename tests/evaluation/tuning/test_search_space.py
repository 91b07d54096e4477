"""Search spaces as Optuna's distributions."""

import re

import pytest

from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.tuning import search_space
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.tuning.searches import SOURCE


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
        ({"plce": [1]}, "'plce': did you mean 'place'"),
        ({"place": (4.0, 0.0)}, "search_space['place']: give it as a list of choices"),
        ({"place": []}, "give it as a list of choices"),
        ({"place": "log"}, "give it as a list of choices"),
        ({"place": (0.0, 1.0, "log")}, "give it as a list of choices"),
        ({"size": (0.5, 2.5)}, "give it as a list of choices"),
    ):
        monkeypatch.setattr(model, "search_space", space)
        with pytest.raises(InputError, match=re.escape(message)):
            search_space.distributions(model)


def test_the_setting_decides_what_a_range_holds(monkeypatch):
    model = SOURCE.load()
    monkeypatch.setattr(model, "search_space", {"place": (1, 100, "log"), "size": (1, 8), "fixed": [0, 3]})
    space = search_space.distributions(model, fixed=["fixed"])
    assert {key: type(each).__name__ for key, each in space.items()} == {
        "place": "FloatDistribution", "size": "IntDistribution"
    }  # fmt: skip
    assert search_space.within(space, {"place": 1.5, "size": 8, "fixed": 9}) == {"place": 1.5, "size": 8}
    for outside in ({"place": 0.0, "size": 1}, {"place": 1.5, "size": 9}, {"place": 101.0, "size": 1}):
        assert search_space.within(space, outside) is None
    assert (
        search_space.within(search_space.distributions(model), {"place": 1.5, "size": 8, "fixed": 9}) is None
    )
    assert search_space.rounded({"a": 0.123456, "b": 3, "c": "x"}) == {"a": 0.1235, "b": 3, "c": "x"}
