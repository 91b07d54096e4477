"""A board's section on its data: what was read, how, and which part validation is."""

from __future__ import annotations

from retrieval_leaderboard.datasets.profile import told
from retrieval_leaderboard.datasets.splits import validation
from retrieval_leaderboard.evaluation.reports.board import Board


def section(board: Board) -> list[str]:
    """The profile that the newest of the runs was made with, where one has it, and the validation part."""
    profiled = [record for record in board.records if record["dataset"].get("profile")]
    newest = max(profiled, key=lambda record: record["date"], default=None)
    lines = told(newest["dataset"]["profile"]) if newest else []
    lines.append(f"validation: {validation.of_record(board.dataset)}")
    return ["## Data\n", "\n".join(f"- {line}" for line in lines) + "\n"]
