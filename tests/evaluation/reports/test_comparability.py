"""In what a row of ours differs from a published one."""

from dataclasses import replace

import pytest

from retrieval_leaderboard import (
    neural,
)
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports import comparability
from retrieval_leaderboard.evaluation.reports.comparability import (
    BY_HISTORY,
    BY_ID,
    Facts,
    comparable,
    differences,
    facts,
)

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
