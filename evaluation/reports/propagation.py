"""Rows whose item vectors carry fixed propagation over a graph of items: which they are, and their mark."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval_leaderboard.evaluation.reports.board import Row

MARK = "‡"


def propagates(row: Row) -> bool:
    """Whether the runs of `row` added the embeddings of an item's neighbors to its own."""
    return any(record.measured.propagates for record in row.done)


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
    without = "; ".join(", ".join(found) or _not_run(model) for model, found in plain.items())
    return [
        f"{MARK} item vectors carry one layer of fixed, not learned, propagation over the item-item graph "
        f"(neighbors). Rows without it, which may have other settings too: {without}."
    ]


def _not_run(model: str) -> str:
    return f"{model} not run yet (--models {model} --set {model}.neighbors=0)"
