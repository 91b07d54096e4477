"""Dataclasses from JSON: what fits is read, and the first place that does not is named."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import sealed, typed
from retrieval_leaderboard.support.storage.sealed import DamagedError


@dataclass(frozen=True)
class Inner:
    name: str
    share: float


@dataclass(frozen=True)
class Outer:
    count: int
    inner: Inner
    parts: tuple[Inner, ...]
    free: dict[str, Any]
    note: str | None = None
    words: list[str] = field(default_factory=list)
    schema: int = 2


WHOLE = Outer(3, Inner("a", 0.5), (Inner("b", 1.0),), {"any": [1, None]}, "x", ["y"])
JSON = json.loads(json.dumps(asdict(WHOLE)))


def test_what_json_made_of_it_is_read_again():
    assert typed.parse(Outer, JSON) == WHOLE
    short = {key: JSON[key] for key in ("count", "inner", "parts", "free")}
    assert typed.parse(Outer, short).note is None


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"count": True}, "count"),
        ({"count": 1.5}, "count"),
        ({"inner": {"name": "a"}}, "inner.share"),
        ({"inner": {"name": "a", "share": float("nan")}}, "inner.share"),
        ({"inner": {"name": "a", "share": True}}, "inner.share"),
        ({"parts": [{"name": "b", "share": 1}, 7]}, "parts.1"),
        ({"parts": {}}, "parts"),
        ({"free": []}, "free"),
        ({"words": [1]}, "words.0"),
        ({"note": 3}, "note"),
        ({"more": 3}, "more"),
    ],
)
def test_the_first_misfit_is_named(changed, where):
    with pytest.raises(typed.MisfitError) as caught:
        typed.parse(Outer, JSON | changed)
    assert str(caught.value) == where


@pytest.mark.parametrize("content", [[], "text", None, 3])
def test_what_is_no_mapping(content):
    with pytest.raises(typed.MisfitError, match="content"):
        typed.parse(Outer, content)


def test_a_sealed_file(tmp_path):
    path = tmp_path / "it.json"
    sealed.write(path, asdict(WHOLE))
    assert sealed.load(path, Outer) == WHOLE
    path.write_text(json.dumps(JSON))
    with pytest.raises(DamagedError, match="it has no checksum"):
        sealed.load(path, Outer)
    sealed.write(path, JSON | {"count": "three"})
    with pytest.raises(DamagedError, match="its count is absent or of another kind"):
        sealed.load(path, Outer)


def test_what_a_migration_refuses_is_one_sentence(tmp_path):
    def refuse(_):
        raise InputError("its time is over")

    sealed.write(tmp_path / "it.json", JSON)
    with pytest.raises(DamagedError, match=r"it\.json is damaged, or of another version: its time is over"):
        sealed.load(tmp_path / "it.json", Outer, refuse)
