"""Whether a two-tower model adds the embeddings of an item's neighbors to its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ENOUGH = 15
"""Interactions a user, on average, from which the rule adds neighbors (`neural.neighbours`)."""
ONE_TARGET = frozenset({"next-item", "cold-items", "leave-last-one"})
"""Protocols whose queries have one true item, from which towers learn by rows of positions"""


def propagates(settings: Mapping[str, Any], dataset: Mapping[str, Any]) -> bool:
    """Whether a stored row did so: one layer of fixed propagation over the graph of items taken together.

    Args:
        settings: of the row's model; those of other models than towers have no `neighbours`.
        dataset: what a record says of its dataset.
    """
    asked = settings.get("neighbours", 0)
    if asked >= 0:
        return bool(asked)
    rows = settings["rows"]
    by_user = dataset["protocol"] not in ONE_TARGET if rows == "auto" else rows == "user"
    return by_user and dataset["train_valid_interactions"] / dataset["users"] >= ENOUGH
