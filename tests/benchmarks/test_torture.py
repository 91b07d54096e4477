"""Faults put in on purpose: the suite itself, and a tiny version of each subject."""

import random

import pytest

from retrieval_leaderboard.benchmarks.torture import __main__ as torture
from retrieval_leaderboard.benchmarks.torture import disk, flips, page, resume, runs, signals
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.pages import NOT_MEASURED

FOUND = {
    "rows": [["a fault", 1200, 1199, "all is well"]], "seed": 7, "seconds": 61, "processor": "one",
    "cores": 2, "commit": "abc", "date": "2026-01-01 00:00 UTC",
}  # fmt: skip


def test_every_module_with_faults_is_a_subject():
    assert {"disk", "flips", "resume", "runs", "signals"} <= set(torture.subjects())
    assert not {"command", "page", "victim", "__main__"} & set(torture.subjects())


def test_damage_always_changes_something():
    rng = random.Random(0)
    for size in (1, 2, 500):
        for _ in range(100):
            content = bytearray(size)
            flips.damage(content, rng)
            assert content != bytes(size)


def test_the_page_shows_the_figures_that_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "FIGURES", tmp_path / "figures.json")
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    marks = ("disk", "runs", "flips")
    page.PAGE.write_text("".join(f"<!-- table: {name} -->\n<!-- end -->\n" for name in marks))
    page.save("runs", FOUND)
    page.save("disk", FOUND | {"seed": 8})
    text = page.PAGE.read_text()
    assert text.count(NOT_MEASURED) == 1
    with pytest.raises(InputError, match="table: resume"):
        page.save("resume", FOUND)
    assert text.count("| a fault |   1,200 |   1,199 | all is well     |") == 2
    assert "Seed 7, 61 s on one, cores: 2, 2026-01-01 00:00 UTC, commit `abc`." in text and "Seed 8" in text


def test_what_did_not_hold_is_the_exit_code(monkeypatch, capsys):
    monkeypatch.setattr(torture, "measure", lambda name, seed, tries: FOUND)
    assert torture.main(["--only", "runs"]) == 1
    assert "1 kinds of faults did not end as they should" in capsys.readouterr().out
    assert torture.main(["--only", "rums"]) == 2
    assert "did you mean 'runs'?" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("subject", [disk, flips, resume, runs, signals], ids=lambda each: each.__name__)
def test_a_few_of_each(subject, tmp_path):
    for fault, tries, held, _ in subject.run(1, tmp_path, 1):
        assert held == tries > 0, fault
