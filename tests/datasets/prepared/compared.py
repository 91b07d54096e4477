"""A dataset in memory beside the same within a limit."""

from __future__ import annotations

from pathlib import Path

from retrieval_leaderboard.datasets import Dataset, load

LIMIT = "300MB"


def both(path: Path | list[str] | None, **said) -> Dataset:
    """The dataset within a limit, which is the same as in memory in all that counts."""
    expected, found = load(path, **said), load(path, memory=LIMIT, **said)
    assert found.fingerprint == expected.fingerprint
    assert list(found.user_ids) == list(expected.user_ids)
    assert list(found.item_ids) == list(expected.item_ids)
    assert found.notes == expected.notes
    assert found.heading == expected.heading
    ours, theirs = (each.profile.as_dict() for each in (found, expected) if each.profile)
    assert ours | {"memory": 0, "spilled": 0} == theirs
    assert list(ours["dropped"].items()) == list(theirs["dropped"].items())
    return found
