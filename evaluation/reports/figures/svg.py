"""A board's charts as SVG files."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.reports.figures import charts, vega
from retrieval_leaderboard.evaluation.reports.figures.data import BoardData

CHARTS = {"quality-cost": charts.quality_cost, "intervals": charts.intervals}
"""Those that other documents show, by the end of the file's name"""
SIZE = charts.Size(680, 340)


def pictures(board: BoardData) -> dict[str, str]:
    """End of the file's name → SVG, of the official rows; without those that the board has no figures for.

    Raises:
        InputError: the library that draws is not installed.
    """
    found = {name: chart(board, board.official, SIZE) for name, chart in CHARTS.items()}
    return {name: vega.svg(spec) for name, spec in found.items() if spec is not None}
