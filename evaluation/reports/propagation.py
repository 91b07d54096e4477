"""Rows whose item vectors carry fixed propagation over a graph of items: which they are, and their mark."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval_leaderboard.datasets.splits.registry import SEQUENTIAL
from retrieval_leaderboard.evaluation.reports.board import Row

MARK = "‡"
ENOUGH = 15
"""Interactions a user from which older records had it by rule; newer ones say what they had."""


def propagates(row: Row) -> bool:
    """Whether the runs of `row` added the embeddings of an item's neighbors to its own."""
    stated = [record["propagates"] for record in row.done if "propagates" in record]
    if stated:
        return any(stated)
    told = row.settings.get("neighbors", 0)
    return _by_rule(row) if told == "auto" else told > 0


def _by_rule(row: Row) -> bool:
    """What auto came to in an older record: some per user, with ENOUGH interactions each on average."""
    about = row.newest["dataset"]
    return not by_position(row) and about["train_valid_interactions"] >= ENOUGH * about["users"]


def by_position(row: Row) -> bool:
    """Whether the training rows of a two-tower in an older record were positions, by setting or by rule."""
    by_rule = row.newest["dataset"]["protocol"] in SEQUENTIAL
    examples = row.settings["examples"]
    return examples == "interaction" or (examples == "auto" and by_rule)


def marked(row: Row) -> str:
    """What stands behind the name of `row`: the mark, where it has one."""
    return f" {MARK}" if propagates(row) else ""


def footnotes(rows: Sequence[Row], labels: Sequence[str]) -> list[str]:
    """What the mark means, and where each model with it stands without it; nothing where no row has one."""
    models = dict.fromkeys(row.model for row in rows if propagates(row))
    if not models:
        return []
    plain: dict[str, list[str]] = {model: [] for model in models}
    for row, label in zip(rows, labels, strict=True):
        if row.model in plain and row.done and not propagates(row):
            plain[row.model].append(label)
    told = "; ".join(", ".join(found) or _not_run(model) for model, found in plain.items())
    return [
        f"{MARK} item vectors carry one layer of fixed, not learned, propagation over the item-item graph "
        f"(neighbors). The same model without it: {told}."
    ]


def _not_run(model: str) -> str:
    return f"{model} not run yet (--models {model} --set {model}.neighbors=0)"
