"""Findings: what is scored, what a table says of scores, which models are efficient."""

import pytest

from benchmarks import findings, findings_page
from benchmarks.ablations import PLACES, STUDIES
from benchmarks.findings_page import Score, compared, efficient, page
from evaluation import registry, settings
from evaluation.board import Board, Row


def test_every_variant_differs_from_the_first_and_can_be_built():
    for study in STUDIES:
        (model, base), *others = study.variants.values()
        assert all(other != (model, base) for other in others)
    for model, changed in findings.variants(PLACES[0]):
        settings.build(registry.get(model), settings.resolve(registry.get(model), changed, "here"))


def test_a_variant_of_several_studies_is_scored_once():
    asked = list(findings.variants(PLACES[0]))
    assert asked.count(("infonce", PLACES[0].settings)) == 1
    assert len(asked) == len({repr(each) for each in asked})


def test_a_change_within_two_standard_errors_is_marked():
    base, near, far = Score([0.10, 0.12]), Score([0.11, 0.13]), Score([0.20, 0.22])
    assert base.text(base) == "0.1100"
    assert near.text(base) == "0.1200 (≈ +9.1%)"
    assert far.text(base) == "0.2100 (+90.9%)"


def row(model, ndcg, seconds, **given):
    record = {"metrics": {"ndcg": ndcg}, "fit_seconds": seconds}
    return Row(model, given, [record], [])


def board(*rows):
    about = {"title": "gowalla", "synthetic": False, "protocol": "published", "exclude_seen": True}
    return Board(about, "f", 20, list(rows))


def test_only_the_best_row_of_a_model_is_compared():
    worse, better, failed = row("als", 0.1, 1), row("als", 0.2, 2), Row("swing", {}, [], [{}])
    assert compared(board(worse, better, failed)) == [better]


def test_efficient_is_what_nothing_as_cheap_beats():
    cheap, dear, beaten, same_cost = (
        row("item_cf", 0.15, 2), row("bsl", 0.16, 200), row("als", 0.14, 20), row("swing", 0.12, 2)
    )  # fmt: skip
    assert efficient([beaten, dear, same_cost, cheap]) == [cheap, dear]


@pytest.fixture
def records():
    def record(model, changed, ndcg, dataset="ml-100k"):
        return {
            "model": model, "changed": changed, "ndcg": ndcg, "dataset": f"{dataset}: leave-last-one",
            "seconds": 30.0, "processor": "A processor", "threads": 2,
        }  # fmt: skip

    return [
        record("infonce", {}, 0.1),
        record("bsl", {}, 0.11),
        record("bsl", {"epochs": 20}, 0.3, "gowalla"),
    ]


def test_page(records):
    text = page(records, [board(row("item_cf", 0.15, 2), row("bsl", 0.16, 200))])
    assert "3 fits, 2 minutes together; A processor, threads: 2." in text
    losses = text.split("## Which loss?")[1].split("##")[0]
    assert "ml-100k (1)" in losses and "gowalla" not in losses  # Nothing to compare with there.
    assert "| BSL     | 0.1100 (+10.0%) |" in losses
    assert "| CCL     | –               |" in losses
    assert "94% of the NDCG@20 of the best tower, bsl, which takes 100 times as long" in text
    assert "| gowalla: published, seen items excluded, top 20 | item_cf | 0.1500    | 2.0     | yes" in text


def test_plot_is_the_same_for_the_same_runs(tmp_path):
    drawn = [tmp_path / name for name in ("a.svg", "b.svg")]
    for target in drawn:
        findings_page.plot([board(row("item_cf", 0.15, 2), row("bsl", 0.16, 200))], target)
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
