"""Settings: typed, checked, and refused by the name of the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from retrieval_leaderboard.evaluation import EmbeddingRetriever
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.support.errors import InputError


@dataclass
class Sample(EmbeddingRetriever):
    """A model with a setting of each type."""

    size: int = 8
    """How many numbers
    and more about it"""
    rate: float = 0.5
    shared: bool = False
    """Whether it is shared"""
    loss: Literal["bce", "ccl"] = "bce"

    def __post_init__(self):
        super().__post_init__()
        if self.size < 1:
            raise InputError("sample.size must be at least 1")

    def fit(self, train, valid, seed):
        pass

    def encode_queries(self, queries):
        pass

    def encode_items(self):
        pass


Sample.name = "sample"


def resolve(**chosen):
    return settings.resolve(Sample, chosen, "--set")


def test_defaults_and_text_of_each_type():
    assert resolve() == {"size": 8, "rate": 0.5, "shared": False, "loss": "bce"}
    chosen = resolve(size="16", rate="1e-3", shared="true", loss="ccl")
    assert chosen == {"size": 16, "rate": 0.001, "shared": True, "loss": "ccl"}


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"sise": 1}, "unknown setting of sample in --set 'sise': did you mean 'size'"),
        ({"size": "many"}, "--set: sample.size=many: it must be a whole number"),
        ({"size": 1.5}, "must be a whole number"),
        ({"size": True}, "must be a whole number"),
        ({"rate": "fast"}, "must be a number"),
        ({"shared": "maybe"}, "must be true or false"),
        ({"loss": "bcee"}, "did you mean 'bce'"),
        ({"size": 0}, "sample.size must be at least 1"),
    ],
)
def test_bad_values(chosen, message):
    with pytest.raises(InputError, match=message):
        resolve(**chosen)


def test_documentation_is_the_text_under_each_field():
    found = settings.documentation(Sample)
    assert found.pop("size") == "How many numbers and more about it"
    assert found == {"rate": "", "shared": "Whether it is shared", "loss": ""}


def test_assignments():
    assert settings.parse_assignments(["a.x=1", "a.y=b=c", "z.x="]) == {
        "a": {"x": "1", "y": "b=c"},
        "z": {"x": ""},
    }
    with pytest.raises(InputError, match=r"give it as model\.setting=value"):
        settings.parse_assignments(["size=3"])


def test_a_list_is_no_choice():
    with pytest.raises(InputError, match=r"unknown value of .*loss '\['bce'\]'"):
        settings.resolve(Sample, {"loss": ["bce"]}, "a config")
