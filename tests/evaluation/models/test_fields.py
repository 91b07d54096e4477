"""What a setting may be and what is tried of it stand beside it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from retrieval_leaderboard.evaluation import setting
from retrieval_leaderboard.evaluation.models import fields, settings
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto
from retrieval_leaderboard.evaluation.reports import listing
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.models.test_settings import Sample


@dataclass
class Bounded(Sample):
    """A model with bounds."""

    cap: int = setting(0, at_least=2)
    depth: int | Auto = setting(AUTO, at_least=1, search=[AUTO, 1, 2])
    """How deep. And a sentence more"""
    share: float = setting(0.5, above=0, below=1, search=(0.1, 0.9))
    most: float = setting(1.0, at_least=0, at_most=1)


@dataclass
class Plain(Sample):
    """A plug-in that says it as a class variable."""

    rate: float = 0.5
    search_space: ClassVar[dict[str, Any]] = {"rate": (0.1, 1.0)}


Bounded.name = "bounded"


@pytest.mark.parametrize("key, value, told", [
    ("depth", 0, "bounded.depth is 0: give 1 or more, or auto"),
    ("depth", "deep", "bounded.depth is deep: give 1 or more, or auto"),
    ("share", 0, "bounded.share is 0: give more than 0, and less than 1"),
    ("share", 1.0, "bounded.share is 1.0: give more than 0, and less than 1"),
    ("share", float("nan"), "bounded.share is nan"),
    ("share", AUTO, "bounded.share is auto"),
    ("most", 1.5, "bounded.most is 1.5: give 0 or more, and no more than 1"),
    ("cap", 1, "bounded.cap is 1: give 2 or more, or 0"),
    ("cap", -1, "bounded.cap is -1: give 2 or more, or 0"),
    ("loss", "bcee", "did you mean 'bce'"),
])  # fmt: skip
def test_bounds_hold_for_every_model(key: str, value: Any, told: str) -> None:
    with pytest.raises(InputError, match=f"{told}$" if "give" in told else told):
        Bounded(**{key: value})


@pytest.mark.parametrize("allowed", [
    {"depth": 1}, {"depth": AUTO}, {"share": 0.99}, {"most": 0}, {"most": 1}, {"cap": 0}, {"cap": 2},
])  # fmt: skip
def test_what_lies_on_a_bound_is_allowed_where_it_is_included(allowed: dict) -> None:
    fields.check(Bounded(**allowed))


def test_what_is_tried_is_read_beside_the_fields_or_from_the_class() -> None:
    assert fields.search_space(Bounded) == {"depth": [AUTO, 1, 2], "share": (0.1, 0.9)}
    assert fields.search_space(Plain) == {"rate": (0.1, 1.0)}
    assert settings.defaults(Bounded)["share"] == 0.5


def test_a_list_has_a_line_a_setting_and_tells_more_when_asked(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = listing.text("bounded", [], [Bounded], [], {}).splitlines()
    for key in settings.defaults(Bounded):
        assert sum(line.startswith(f"  {key}=") for line in lines) == 1
    assert lines[-3] == "  depth=auto    How deep"
    assert "And a sentence more" in listing.text("bounded.depth", [], [Bounded], [], {})
    with pytest.raises(InputError, match="did you mean 'depth'"):
        listing.text("bounded.dept", [], [Bounded], [], {})
