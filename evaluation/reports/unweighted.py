"""Rows whose model does not use the weights that a dataset's interactions have: their mark on boards."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval_leaderboard.evaluation.reports.board import Row

MARK = "§"
FOOTNOTE = f"{MARK} does not use the weights of interactions: all count alike."


def marked(row: Row) -> str:
    """What stands behind the name of `row`: the mark, where it has one."""
    return f" {MARK}" if any(record.measured.ignores_weights for record in row.done) else ""


def footnotes(rows: Sequence[Row]) -> list[str]:
    """What the mark means, where a row has it."""
    return [FOOTNOTE] if any(map(marked, rows)) else []
