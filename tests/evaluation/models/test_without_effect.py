"""Settings that change nothing on the data: what models say of them is so, and boards tell it."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.reports.board import Row, originals
from retrieval_leaderboard.evaluation.reports.pages.settings_section import differing
from retrieval_leaderboard.neural import BSL
from tests.evaluation import stored
from tests.evaluation.reports.boards import row

ORDERED = planted()
UNORDERED = replace(ORDERED, train=replace(ORDERED.train, ordered=False))
ITEM_CF = {"top_k": 5, "recency": 0.5}
TOWER = {"embedding_dim": 8, "epochs": 1, "history_encoder": "mean"}


@pytest.mark.parametrize(
    ("model", "settings", "data", "idle"),
    [
        (ItemCF, {}, UNORDERED, True),
        (ItemCF, {}, ORDERED, False),
        (Swing, {}, UNORDERED, True),
        (Swing, {}, ORDERED, False),
        (BSL, TOWER, UNORDERED, True),
        (BSL, TOWER, ORDERED, False),
        (BSL, TOWER | {"examples": "user"}, ORDERED, True),
    ],
)
def test_recency_without_an_order(model, settings, data: Dataset, idle: bool):
    fitted = []
    for recency in (0.0, 2.0):
        each = model(**settings, recency=recency)
        assert ("recency" in each.without_effect(data.train, data.valid)) is idle
        each.fit(data.train, data.valid, 0)
        fitted.append(each.recommend(data.valid, 10)[1])
    assert np.array_equal(*fitted) is idle


@pytest.mark.parametrize("cold", [False, True])
def test_cold_negatives_without_a_cold_item(cold: bool):
    warm = ORDERED.train.item != 3 if cold else np.ones(len(ORDERED.train), dtype=bool)
    train = replace(
        ORDERED.train,
        user=ORDERED.train.user[warm],
        item=ORDERED.train.item[warm],
        timestamp=None,
        context=None,
    )
    fitted = []
    for wanted in (False, True):
        each = BSL(**TOWER, cold_negatives=wanted)
        assert ("cold_negatives" in each.without_effect(train, ORDERED.valid)) is not cold
        each.fit(train, None, 0)
        fitted.append(each.recommend(ORDERED.valid, 10)[1])
    assert np.array_equal(*fitted) is not cold


@pytest.mark.parametrize("neighbors", [0, 3])
def test_the_weight_of_neighbors_without_any(neighbors):
    given = TOWER | {"neighbors": neighbors}
    fitted = []
    for weight in (1.0, 7.0):
        each = BSL(**given, neighbor_weight=weight)
        each.fit(ORDERED.train, None, 0)
        fitted.append(each.recommend(ORDERED.valid, 10)[1])
    idle = BSL.unread(given)
    assert np.array_equal(*fitted) is (idle == {"neighbor_weight"}) is (neighbors == 0)
    assert BSL.unread({"neighbors": "auto"}) == frozenset()


def test_rows_that_differ_in_settings_without_effect_count_once():
    alike = [row("bsl", 0.5, {"neighbors": 0, "neighbor_weight": each}) for each in (5.0, 7.0)]
    apart = [row("bsl", 0.5, {"neighbors": 3, "neighbor_weight": each}) for each in (5.0, 7.0)]
    idle = [row("item_cf", 0.5, {"recency": each}, without_effect=("recency",)) for each in (0.0, 0.5)]
    assert originals([*alike, *apart, *idle]) == [0, 0, 2, 3, 4, 4]


@pytest.mark.parametrize("idle", [True, False])
def test_a_board_tells_them_apart(idle):
    said = stored.record("item_cf", without_effect=("recency",) if idle else ())
    line = differing(Row("item_cf", ITEM_CF, [said], []))
    assert ("; without effect here: `recency=0.5`" in line) is idle
    assert line.count("recency") == 1 and line.startswith("Not as by default: `top_k=5`")


def test_a_copy_by_the_command_of_a_page_takes_no_searched_rows_place():
    searched = row("bsl", 0.5, {"neighbors": 3}, by="tuning", trials=30, shipped=True)
    copied = row("bsl", 0.5, {"neighbors": 3}, by="command line")
    assert originals([copied, searched]) == [1, 1]
    own = row("bsl", 0.5, {"neighbors": 3}, by="tuning", trials=30)
    assert originals([searched, own]) == [1, 1]
