"""Which rows of a board the pages compare."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.reports.board import Board, Row


def select_rows(board: Board) -> list[Row]:
    """One row a model, by how its settings were chosen and never by its test results: an official one where
    there is one, of these the one of the most trials, of equals the newest.
    """
    rows = [row for row in board.rows if row.done and not row.provenance.by_command]
    ranked = sorted(rows, key=_standing)
    return list({row.model: row for row in ranked}.values())


def _standing(row: Row) -> tuple[bool, int, str]:
    return row.provenance.official, row.provenance.trials, row.newest.date
