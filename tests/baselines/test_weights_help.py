"""The figures of docs/own-data.md: on a made log, weights help where weighted events tell more."""

import re

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.baselines.global_hot import GlobalHot
from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.baselines.swing import Swing
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.neural import InfoNCE
from tests.baselines import shop

WEIGHTS = (1.0, 5.0, 20.0)
ROUNDING = {"infonce": 0.02, "als (alpha=30)": 1e-3, "als (alpha=1)": 1e-3}
"""Model → how far a processor's rounding takes it"""
HALF_A_DIGIT = 5.01e-5
"""Of the page, for all others"""
HELPED = ("item_cf", "swing", "als (alpha=1)", "infonce")
MODELS = {
    "global_hot": GlobalHot(),
    "item_cf": ItemCF(),
    "swing": Swing(),
    "als (alpha=30)": ALS(alpha=30),
    "als (alpha=1)": ALS(alpha=1),
    "infonce": InfoNCE(),
}


def written(label):
    """The row of a model in the page's table."""
    page = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {re.escape(label)} \|(( 0\.[0-9]{{4}} \|){{3}})$", page, re.MULTILINE)
    return [float(cell) for cell in row[0].split("|")[:-1]]


def measured(label, weight):
    data = split(shop.log(weight), "leave-last-one", exclude_seen=False, split_seed=0)
    model = MODELS[label]
    harness.fit(model, data, 0)
    return harness.evaluate(model, data, 20).metrics["ndcg"]


@pytest.mark.parametrize(
    "label", [pytest.param(label, marks=pytest.mark.slow if label == "infonce" else []) for label in MODELS]
)
def test_the_page_has_what_is_measured(label):
    found = [measured(label, weight) for weight in WEIGHTS]
    assert found == pytest.approx(written(label), abs=ROUNDING.get(label, HALF_A_DIGIT))
    if label in HELPED:
        assert min(found[1:]) > 1.05 * found[0]
