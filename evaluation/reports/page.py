"""A board as a Markdown page: the verdict, the official table, and everything else below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retrieval_leaderboard.evaluation.reports import (
    data_section,
    index_section,
    main_table,
    metric_tables,
    published_section,
    settings_section,
    warnings,
)
from retrieval_leaderboard.evaluation.reports.board import Board
from retrieval_leaderboard.evaluation.reports.report import Entry, Report
from retrieval_leaderboard.evaluation.reports.slice_table import slice_tables
from retrieval_leaderboard.evaluation.reports.verdict import verdict

VERDICT = "**Verdict:** "
"""How the first line after the title begins"""
FOOTER = "Derived from the stored runs beside this page by `python -m evaluation report`.\n"
OVERRIDES = (
    "A CLI override is never marked as the best: it may have been picked after a look at the test results."
)


def markdown(report: Report, family: Sequence[Board], folder: Path) -> str:
    """The page of a board.

    Args:
        report: of the board.
        family: the boards that differ from it in the split seed alone, itself among them.
        folder: of the dataset's results.
    """
    board = report.board
    notes = warnings.warnings(report)
    parts = [
        f"# {board.heading}\n",
        f"{VERDICT}{verdict(report)}\n",
        _banner(board),
        _official(report),
        _explored(report),
        published_section.section(report),
        f"## Slices\n\n{slice_tables(report.entries, board.k)}",
        metric_tables.list_metrics(report),
        metric_tables.other_metrics(report),
        metric_tables.other_costs(report),
        settings_section.section(report),
        data_section.spread_section(family) if len(family) > 1 else "",
        data_section.data_section(board),
        data_section.provenance_section(board),
        "## Warnings\n\n" + "\n".join(f"- {note}" for note in notes) + "\n" if notes else "",
        index_section.section(folder, board),
        FOOTER,
    ]
    return "\n".join(filter(None, parts))


def _banner(board: Board) -> str:
    if not board.dataset.synthetic:
        return ""
    return "**Synthetic data, made by this project's generator: no number here is a real dataset's.**\n"


def _official(report: Report) -> str:
    if not report.official:
        return ""
    times = f", seconds on {report.machine}" if report.machine else ""
    intro = (
        "Official rows: each model with its defaults, or with settings found within one budget of time by the "
        "same procedure.\n"
    )
    return f"## Models{times}\n\n{_table(report, report.official)}\n{intro}"


def _explored(report: Report) -> str:
    """The rows that no common procedure led to, and what that means."""
    found = report.explored
    if not found:
        return ""
    times = "" if report.official or not report.machine else f", seconds on {report.machine}"
    intro = (
        "Settings found by hand, by older searches or on a command line, each row with a number of trials of its "
        "own, and lists from elsewhere. The link tells what was done."
    )
    by_command = any(entry.row.provenance.by_command for entry in found)
    parts = [f"## Explored further{times}\n", intro + (f" {OVERRIDES}" if by_command else "") + "\n"]
    return "\n".join([*parts, _table(report, found)])


def _table(report: Report, entries: Sequence[Entry]) -> str:
    text = main_table.markdown(main_table.main_table(report, entries))
    shown = {entry.name for entry in entries}
    marks = [note for note in warnings.marks(report) if any(note[0] in name for name in shown)]
    return "\n".join([text, *(f"{note}\n" for note in marks)])
