"""Which rows of a board the pages compare."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.reports.board import Board, Row


def compared(board: Board) -> list[Row]:
    """One row a model, of those by a config or by defaults: the one chosen on validation among the most
    settings, the newest of equals.
    """
    rows = [row for row in board.rows if row.done and not row.provenance.by_command]
    ranked = sorted(rows, key=lambda row: (row.provenance.trials, row.newest.date))
    return list({row.model: row for row in ranked}.values())
