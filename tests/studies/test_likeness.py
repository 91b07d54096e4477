"""Which row of ours is most like a published one, and in what it differs."""

from dataclasses import replace

import pytest

from retrieval_leaderboard import neural
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports import comparability
from retrieval_leaderboard.evaluation.reports.comparability import (
    BY_HISTORY,
    BY_ID,
    Facts,
    facts,
)
from retrieval_leaderboard.studies import likeness
from retrieval_leaderboard.studies.likeness import comparable, differences
from tests.evaluation.reports.test_references import PLAIN, WIDE, board, row

MF = Facts("MF", dimension=64, loss="softmax", user=BY_HISTORY)


def ours(model, **changed):
    return facts(
        model, settings.resolve(registry.get(model), changed, "here"), bool(changed.get("neighbors"))
    )


def test_like_is_like():
    assert differences(ours("infonce", neighbors=0), MF) == []
    assert differences(ours("global_hot"), Facts("popularity")) == []
    cosine = {"user_exponent": 0.0, "history_exponent": 0.5, "target_exponent": 0.5}
    assert differences(ours("item_cf", **cosine), Facts("item-item", method="ItemCF", weights="none")) == []


@pytest.mark.parametrize(
    ("model", "changed", "theirs", "told"),
    [
        ("infonce", {"neighbors": 0, "embedding_dim": 256}, MF, "dimension 256, theirs 64"),
        ("infonce", {"neighbors": 0, "mlp": "256-128"}, MF, "dimension 128, theirs 64"),
        (
            "als",
            {"factors": 32},
            Facts("MF", 64, "squared error of counts", user=BY_ID),
            "dimension 32, theirs 64",
        ),
        ("infonce", {"neighbors": 20}, MF, "graph over items, theirs none"),
        ("bsl", {"neighbors": 0}, MF, "loss BSL, theirs softmax"),
        ("infonce", {"neighbors": 0}, replace(MF, user=BY_ID), "user the history, theirs an id"),
        (
            "infonce",
            {"neighbors": 0, "user_share": 0.3},
            MF,
            "user an id and the history, theirs the history",
        ),
        ("infonce", {"neighbors": 0, "features": True}, MF, "features of users and items, theirs none"),
        ("infonce", {"neighbors": 0}, Facts("MF", loss="softmax", user=BY_HISTORY), "unstated: dimension"),
        (
            "item_cf",
            {},
            Facts("item-item", method="ItemCF", weights="none"),
            "weights users and items, theirs none",
        ),
        ("item_cf", {}, Facts("item-item", method="ItemCF"), "unstated: weights"),
        ("item_cf", {}, Facts("linear", method="EASE"), "method ItemCF, theirs EASE"),
        (
            "swing",
            {"last_n": 1, "user_exponent": 0.0, "history_exponent": 0.5, "target_exponent": 0.5},
            Facts("item-item", method="Swing", weights="none"),
            "history the last item, theirs all",
        ),
    ],
)
def test_what_differs_is_told_and_nothing_else(model, changed, theirs, told):
    assert differences(ours(model, **changed), theirs) == [told]


def test_what_has_no_vectors_is_beside_nothing_that_has():
    graph, tower = ours("infonce", neighbors=20), ours("infonce", neighbors=0)
    assert (graph.family, tower.family) == ("graph", "vectors")
    assert comparable(graph, MF) and comparable(tower, MF)
    assert not comparable(tower, Facts("linear")) and not comparable(ours("item_cf"), MF)
    assert facts("a_plugin", {}, False) is None


def test_every_model_of_the_suite_is_known():
    assert {"global_hot", "item_cf", "swing", "als", *neural.NAMES} <= set(comparability.OURS)


def matches(asked):
    """Name of a published number → the rows that may stand beside it, the fairest first."""
    return {reference.name: found for reference, found in likeness.beside(asked).items()}


def test_the_fairest_row_is_the_first_beside_a_published_number():
    asked = board(
        row("simplex_ccl", neighbors=20),
        row("simplex_ccl", 0.18, 0.16, trials=20, **PLAIN),
        row("simplex_ccl", trials=30, **PLAIN),
        row("simplex_ccl", trials=99, by="command line", **PLAIN),
        row("simplex_ccl", trials=99, **WIDE),
        row("bsl", trials=99, neighbors=20),
    )
    found = {name: asked.rows.index(each[0].row) for name, each in matches(asked).items() if each}
    assert (found["SimpleX"], found["MF + BSL"]) == (2, 2)
    assert found["LightGCN"] == 5, "with neighbors, beside a graph model"
    (simplex,) = [each[0] for name, each in matches(asked).items() if name == "SimpleX"]
    assert simplex.changes == pytest.approx((0.15 / 0.1872 - 1, 0.15 / 0.1557 - 1))
    assert simplex.differences == ("user the history, theirs an id and the history",)
