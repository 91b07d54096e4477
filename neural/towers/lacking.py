"""What trained towers saw of users and items, and other data does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.features import Features


def lacking(columns: Mapping[str, Any], train: Interactions) -> str:
    """Why towers with `columns`, `TowerColumns` as JSON, cannot be trained on `train`; "" where they can."""
    sides = {"item": train.item_features, "user": train.user_features}
    found = {side: _missing(columns.get(side) or {}, features) for side, features in sides.items()}
    told = [f"{side} columns {', '.join(names)}" for side, names in found.items() if names]
    if not told:
        return ""
    options = " and ".join(f"--{side}s or --{side}-vectors" for side, names in found.items() if names)
    return (
        f"the towers learned from the {' and the '.join(told)}, which the new data lacks: give them by "
        f"{options}, with unknown values where need be, or fit anew without --warm-start"
    )


def _missing(columns: Mapping[str, Any], features: Features | None) -> list[str]:
    """The names of `columns` that `features` does not have, or not of the same kind."""
    given = features.by_kind() if features is not None else {}
    return [
        f"{name} ({kind})"
        for kind, names in columns.get("encodings", {}).items()
        for name in names
        if name not in given.get(kind, ())
    ]
