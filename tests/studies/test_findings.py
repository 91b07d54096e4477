"""Findings: what is scored, what a table says of scores, which models are efficient."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.studies import findings, findings_page
from retrieval_leaderboard.studies.ablations import PLAIN, SETUPS, STUDIES, Setup
from retrieval_leaderboard.studies.findings_page import efficient, tables
from retrieval_leaderboard.studies.row_selection import select_rows
from retrieval_leaderboard.studies.scores import Finding
from retrieval_leaderboard.studies.variant_scores import Score, score
from retrieval_leaderboard.support.pages import NOT_MEASURED
from tests.evaluation import stored


def test_every_variant_differs_from_the_first_and_can_be_built():
    for study in STUDIES:
        (model, base), *others = study.variants.values()
        assert all(other != (model, base) for other in others)
    for model, changed in findings.variants(SETUPS[0]):
        settings.build(registry.get(model), settings.resolve(registry.get(model), changed, "here"))


def test_a_variant_of_several_studies_is_scored_once():
    asked = list(findings.variants(SETUPS[0]))
    assert asked.count(("infonce", SETUPS[0].settings)) == 1
    assert len(asked) == len({repr(each) for each in asked})


def test_a_change_within_two_standard_errors_is_marked():
    base, near, far = Score([0.10, 0.12]), Score([0.11, 0.13]), Score([0.20, 0.22])
    assert base.text(base) == "0.1100"
    assert near.text(base) == "0.1200 (≈ +9.1%)"
    assert far.text(base) == "0.2100 (+90.9%)"


def row(model, ndcg, seconds, by="defaults", date="2026-11-25", processor="A processor"):
    said = stored.record(model, ndcg=ndcg, fit_seconds=seconds, by=by, processor=processor, threads=2)
    return Row(model, {}, [replace(said, date=date)], [])


def board(*rows):
    about = {"name": "unpublished", "title": "gowalla", "synthetic": False, "protocol": "published"}
    return Board(replace(stored.SUMMARY, **about), "f", 20, list(rows))


def test_the_newest_row_that_was_not_set_by_hand_for_a_run_is_select_rows():
    older, newer = row("als", 0.3, 1, date="2026-11-24"), row("als", 0.2, 2)
    by_command = row("als", 0.4, 2, by="command line", date="2026-11-26")
    failed = Row("swing", {}, [], [stored.record(reason="none")])
    assert select_rows(board(newer, older, by_command, failed)) == [newer]


def test_efficient_is_what_nothing_as_cheap_beats():
    cheap, dear, beaten, same_cost = (
        row("item_cf", 0.15, 2), row("bsl", 0.16, 200), row("als", 0.14, 20), row("swing", 0.12, 2)
    )  # fmt: skip
    assert efficient([beaten, dear, same_cost, cheap]) == [cheap, dear]


def record(model, ndcg, seed, dataset="ml-100k", **changed):
    values = settings.resolve(registry.get(model), PLAIN | changed, "here")
    return Finding(
        "f", 20, model, "", values, seed, "cpu", "fp32", ndcg, seconds=30.0, dataset=f"{dataset}: next-item",
        threads=2, processor="A processor", commit="", date=f"2026-11-25T00:00:0{seed}",
    )  # fmt: skip


CLASSICAL = row("item_cf", 0.15, 2), row("swing", 0.14, 4)


def test_tables():
    uniform = {"negatives": 2048, "in_batch": False}
    records = [record("infonce", 0.1 + seed / 1000, seed, **uniform) for seed in (0, 1)]
    records += [record("bsl", 0.2 + seed / 1000, seed) for seed in (0, 1)]
    records += [record("simplex_ccl", 0.2, 0), record("bsl", 0.3, 0, "gowalla", epochs=20)]
    found = tables(records, [board(*CLASSICAL, row("bsl", 0.16, 200))], [])
    assert "6 fits, 3 minutes together; A processor, threads: 2." in found["conditions"]
    assert "ml-100k, 2 seeds" in found["loss"]
    assert "gowalla, " not in found["loss"]  # Nothing to compare with there.
    assert "| BSL     | 0.2005 (+99.5%)    |" in found["loss"]
    assert "| CCL     | –                  |" in found["loss"]  # A single seed.
    assert found["number of negatives"] == NOT_MEASURED  # Its first variant alone has scores.
    cost = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in found["quality and cost"].splitlines()
    ]
    heading = "gowalla: published, seen items excluded, top 20"
    assert [heading, "item_cf", "defaults", "0.1500", "2.0", "A processor, 2 threads", "yes"] in cost
    assert [heading, "swing", "defaults", "0.1400", "4.0", "A processor, 2 threads", ""] in cost
    assert all(figure in found["item_cf"] for figure in ("94%", "88%", "100 ×"))


def test_seconds_of_two_machines_are_not_compared():
    elsewhere = row("bsl", 0.16, 200, processor="Another")
    found = tables([], [board(*CLASSICAL, elsewhere)], [])
    assert "| Another, 2 threads     | –" in found["quality and cost"]
    assert "timed on different machines" in found["item_cf"] and "×" not in found["item_cf"]


def test_the_newest_score_of_a_seed_counts():
    newer = replace(record("bsl", 0.2, 0), date="2026-11-26")
    records = [record("bsl", 0.1, 0), record("bsl", 0.3, 1), newer]
    found = score(findings_page.stored(Setup("ml-100k", PLAIN), "bsl", {}, records))
    assert sorted(found.values) == [0.2, 0.3]


def test_plot_is_the_same_for_the_same_runs(tmp_path):
    drawn = [tmp_path / name for name in ("a.svg", "b.svg")]
    for target in drawn:
        findings_page.plot([board(row("item_cf", 0.15, 2), row("bsl", 0.16, 200))], target)
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


def test_boards_that_are_not_stored_are_named(tmp_path):
    (tmp_path / "gowalla").mkdir()
    with pytest.raises(ValueError, match="no runs are stored of: gowalla: published"):
        findings_page.found_boards(tmp_path)


def test_an_unknown_dataset_is_one_sentence_and_exit_code_2(capsys):
    assert findings.main(["--datasets", "gowala"]) == 2
    assert "unknown dataset of the findings 'gowala': did you mean 'gowalla'?" in capsys.readouterr().err
