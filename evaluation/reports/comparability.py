"""What decides which published numbers a row of ours is like: a few facts of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from retrieval_leaderboard.evaluation.models.fields import AUTO

FAMILIES = {
    "popularity": "popularity", "item-item": "items", "linear": "items", "MF": "vectors",
    "two-tower": "vectors", "graph": "graph", "generative": "generative",
}  # fmt: skip
"""Kind → family, whose models are compared with each other; if need be vectors with and without a graph; no
model of ours is generative"""
MF_CLASS, GRAPH_CLASS = "64 dimensions, no propagation", "Propagation over a graph"
ITEM_CLASS, WIDE_CLASS = (
    "Item-item, linear and popularity models",
    "Vectors of another or unstated size, no propagation",
)
GENERATIVE_CLASS = "Generative models"
CLASSES = (MF_CLASS, GRAPH_CLASS, WIDE_CLASS, ITEM_CLASS, GENERATIVE_CLASS)
"""Like beside like: what a page compares in one table"""
COMMON_SIZE = 64
"""Dimensions of most published vectors"""
OVER_ITEMS, USUAL_GRAPH = "over items", "over users and items"
BY_ID, BY_HISTORY, BY_BOTH = "an id", "the history", "an id and the history"
USERS = {"MF": BY_ID, "graph": BY_ID, "two-tower": BY_HISTORY}
"""Kind → what its user vectors are usually made of"""
WEIGHED = ("ItemCF", "Swing")
"""Methods over items with the settings of weights"""
PLAIN_COSINE = 0.5
"""Both exponents of items in a cosine: with others items have weights"""


@dataclass(frozen=True)
class Facts:
    """What decides whether two rows are alike; None is unstated, or without a meaning for the kind."""

    kind: str
    """A key of FAMILIES"""
    dimension: int | None = None
    """Of the vectors; 0 where a model has none"""
    loss: str | None = None
    method: str | None = None
    """Of an item-item or linear model"""
    weights: str | None = None
    """What an item-item model weighs: "none", "users", "items" or "users and items" """
    history: str = "all"
    graph: str = "none"
    """How one is used"""
    user: str | None = None
    """What user vectors are made of"""
    features: str = "none"
    """Whose are used"""

    @property
    def family(self) -> str:
        """A value of FAMILIES."""
        return FAMILIES[self.kind]

    @property
    def table(self) -> str:
        """One of CLASSES; a graph that only filters items makes no vectors."""
        if self.family in ("popularity", "items") or self.dimension == 0:
            return ITEM_CLASS
        if self.family == "graph":
            return GRAPH_CLASS
        if self.family == "generative":
            return GENERATIVE_CLASS
        return MF_CLASS if self.dimension == COMMON_SIZE else WIDE_CLASS


OURS = {
    "global_hot": Facts("popularity"),
    "item_cf": Facts("item-item", method="ItemCF"),
    "swing": Facts("item-item", method="Swing"),
    "ease": Facts("linear", method="EASE"),
    "rp3beta": Facts("item-item", method="RP3β"),
    "user_knn": Facts("item-item", method="UserKNN"),
    "als": Facts("MF", loss="squared error of counts"),
    "ials": Facts("MF", loss="squared error of counts"),
    "dssm_bce": Facts("two-tower", loss="BCE"),
    "infonce": Facts("two-tower", loss="softmax"),
    "bsl": Facts("two-tower", loss="BSL"),
    "simplex_ccl": Facts("two-tower", loss="CCL"),
    "sasrec": Facts("two-tower", loss="softmax"),
}
"""Model of this suite → what holds whatever its settings"""


def facts(model: str, settings: Mapping[str, Any], propagated: bool) -> Facts | None:
    """Those of a row of ours; None of a model that nothing published is compared with.

    Args:
        model: its name.
        settings: all of them.
        propagated: whether its item vectors carry propagation over a graph of items.
    """
    found = OURS.get(model)
    if found is None or found.kind == "popularity":
        return found
    if found.family == "items" and found.method not in WEIGHED:
        return found
    if found.family == "items":
        history = "the last item" if settings["last_n"] == 1 else "all"
        return replace(found, weights=_weights(settings), history=history)
    if found.kind == "MF":
        return replace(found, dimension=settings["factors"], user=BY_ID)
    widths = [int(width) for width in settings["mlp"].replace(AUTO, "").split("-") if width]
    user = BY_BOTH if settings["user_share"] else BY_HISTORY
    features = "of users and items" if settings["features"] is True else "none"
    dimension = [settings["embedding_dim"], *widths][-1]
    loss = settings.get("loss", found.loss)  # Some models have several.
    found = replace(found, dimension=dimension, user=user, features=features, loss=loss)
    return replace(found, kind="graph", graph=OVER_ITEMS) if propagated else found


def _weights(settings: Mapping[str, Any]) -> str:
    exponents = settings["history_exponent"], settings["target_exponent"]
    weighed = {"users": settings["user_exponent"] != 0, "items": exponents != (PLAIN_COSINE, PLAIN_COSINE)}
    return " and ".join(name for name, yes in weighed.items() if yes) or "none"
