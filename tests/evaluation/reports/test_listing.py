"""`--list`: everything, a line each, and one thing in full."""

import re
from pathlib import Path

import pytest

from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.datasets.sources.listing import listing as datasets
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.reports import listing
from retrieval_leaderboard.support.errors import InputError


def listed(name="", folder=Path("nowhere")):
    models = [registry.get(each) for each in registry.names()]
    return listing.text(name, datasets(folder), models, registry.defaults(), {})


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_every_dataset_and_model_has_a_line():
    lines = listed().splitlines()
    assert len(lines) <= len(registry.names()) + len(SOURCES) + 9 and max(map(len, lines)) <= 80
    for name in (*registry.names(), *SOURCES):
        assert sum(line.startswith(name + " ") for line in lines) == 1


def test_models_that_run_by_default_are_marked():
    lines = listed().splitlines()
    marked = [line.split()[0] for line in lines if re.match(r"[a-z_]+ \*", line)]
    assert marked == registry.defaults()
    assert any(line.startswith("ease  ") for line in lines)


def test_a_model_has_every_setting_with_its_default():
    text = listed("infonce")
    assert max(map(len, text.splitlines())) <= 80
    assert "embedding_dim=64" in text and "Length of the vectors" in text
    assert "top_k" not in text, "another model's"


def test_a_model_without_settings_and_a_terminal_of_few_columns(monkeypatch):
    class Bare(GlobalHot):
        """Has nothing to set."""

        name = "bare"

    monkeypatch.setattr(listing.settings, "of_fields", lambda model: {})
    text = listing.text("bare", [], [Bare], [], {})
    assert text == "bare: Has nothing to set.\n\nIt has no settings."
    monkeypatch.undo()
    monkeypatch.setenv("COLUMNS", "30")
    assert "embedding_dim=64" in listed("infonce") and "ease" in listed()


def test_datasets_in_full_or_one_of_them(tmp_path):
    assert listed("datasets", tmp_path).count("  folder  ") == len(SOURCES)
    one = listed("ml-1m", tmp_path)
    assert one.startswith("ml-1m\n") and str(tmp_path / "ml-1m") in one
    assert "next-item, cold-items, leave-last-one, time" in one and "gowalla" not in one


def test_a_dataset_has_its_counts_its_license_and_what_to_do():
    text = listed("taobao")
    assert max(map(len, text.splitlines())) <= 80
    assert "published  987,994 users, 4,162,024 items, 100,150,807 interactions" in text
    assert "license" not in text and "to do      get UserBehavior.csv.zip (906 MB) from" in text
    assert "license    research only; no redistribution, no commercial use" in listed("netflix")
    assert "to do" not in listed("gowalla"), "it is downloaded"


@pytest.mark.parametrize(
    ("wrong", "near"), [("infonse", "infonce"), ("dataset", "datasets"), ("gowala", "gowalla")]
)
def test_the_nearest_name(wrong, near):
    with pytest.raises(InputError, match=f"did you mean '{near}'"):
        listed(wrong)
