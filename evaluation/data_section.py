"""A board's section on its data: what was read, and how."""

from __future__ import annotations

from datasets.profile import told
from evaluation.board import Board


def section(board: Board) -> list[str]:
    """The profile that the newest of the runs was made with; nothing where none has one, as older records."""
    profiled = [record for record in board.records if record["dataset"].get("profile")]
    if not profiled:
        return []
    newest = max(profiled, key=lambda record: record["date"])
    lines = told(newest["dataset"]["profile"])
    return ["## Data\n", "\n".join(f"- {line}" for line in lines) + "\n"]
