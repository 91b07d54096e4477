"""One color a model on every chart, page and dataset, and one shape a family of models.

Every color has a contrast of 3 or more against white and against a dark page (WCAG 2.2, 1.4.11), so that one
palette serves both.
"""

from __future__ import annotations

from zlib import crc32

from retrieval_leaderboard.evaluation.reports.comparability import FAMILIES, OURS

COLORS = {
    "bsl": "#2f7ed8",
    "infonce": "#d1603d",
    "simplex_ccl": "#8d5fd3",
    "dssm_bce": "#cf4a9c",
    "als": "#2b9348",
    "item_cf": "#b07d0a",
    "swing": "#12919b",
    "global_hot": "#7d8590",
    "ease": "#5b6ee1",
    "rp3beta": "#a0674b",
    "user_knn": "#6f8f1f",
    "ials": "#4f9a76",
    "popular_window": "#8a7f6d",
    "sasrec": "#3f8fb5",
    "category_hot": "#6b8a99",
}
OTHERS = ("#a34fbf", "#b5653a", "#4d8f5b", "#5f7fc4", "#b8587e", "#85852b")
"""Of models that are not registered here, by their names"""
SHAPES = {"popularity": "square", "items": "diamond", "vectors": "circle", "graph": "circle"}
OWN_SHAPE = "triangle-up"
"""Of a model whose family nobody has told"""


def color(model: str) -> str:
    """The same for a name whatever stands beside it."""
    return COLORS.get(model) or OTHERS[crc32(model.encode()) % len(OTHERS)]


def shape(model: str) -> str:
    """Of its family, for readers who see no colors; a key of Vega's symbol shapes."""
    known = OURS.get(model)
    return SHAPES[FAMILIES[known.kind]] if known else OWN_SHAPE
