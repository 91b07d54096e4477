"""Which rows of a board the pages compare."""

from __future__ import annotations

from evaluation.board import Board, Row


def compared(board: Board) -> list[Row]:
    """One row a model: its newest by a config or by defaults, which validation chose, if anything did."""
    rows = [row for row in board.rows if row.done and row.chosen.by != "command line"]
    newest = sorted(rows, key=lambda row: row.newest["date"])
    return list({row.model: row for row in newest}.values())
