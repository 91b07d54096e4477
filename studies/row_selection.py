"""Which rows of a board the pages compare."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.reports.board import Board, Row


def select_rows(board: Board) -> list[Row]:
    """One row a model, with tuned settings or defaults: the one of the most trials, of equals the newest."""
    rows = [row for row in board.rows if row.done and not row.provenance.by_command]
    ranked = sorted(rows, key=lambda row: (row.provenance.trials, row.newest.date))
    return list({row.model: row for row in ranked}.values())
