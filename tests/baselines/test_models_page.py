"""docs/models.md names every registered model, and marks those that run by default."""

import re

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.models import registry

ENTRIES = re.findall(
    r"^- \*\*(\w+)\*\*( \*)?: ", (ROOT / "docs" / "models.md").read_text(encoding="utf-8"), re.MULTILINE
)


def test_every_model_has_an_entry():
    assert set(registry.names()) <= {name for name, _ in ENTRIES}


def test_those_that_run_by_default_are_marked():
    assert sorted(name for name, mark in ENTRIES if mark) == sorted(registry.defaults())
