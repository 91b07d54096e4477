"""A board as a Markdown page: the verdict, the official table, and everything else below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retrieval_leaderboard import PREFIX
from retrieval_leaderboard.evaluation.reports import index_section, main_table
from retrieval_leaderboard.evaluation.reports.board import Board
from retrieval_leaderboard.evaluation.reports.pages import (
    data_section,
    lengths_table,
    metric_tables,
    published_section,
    settings_section,
    warnings,
)
from retrieval_leaderboard.evaluation.reports.pages.slice_table import slice_tables
from retrieval_leaderboard.evaluation.reports.pages.verdict import verdict
from retrieval_leaderboard.evaluation.reports.report import Entry, Report

VERDICT = "**Verdict:** "
"""How the first line after the title begins"""
FOOTER = f"Derived from the stored runs beside this page by `python -m {PREFIX}evaluation report`.\n"
DEFAULTS = "Official rows: each model with its defaults."
SEARCHED = (
    "Official rows: each model with its defaults, or with what the same search found within one budget of "
    "time."
)
BELOW_DEFAULTS = "Searched rows below their model's defaults, which were lower in validation or are newer"
OTHER_ROWS = {"warm start": "warm starts from earlier runs", "lists": "lists from elsewhere"}
"""Way, by `Provenance.by` → rows that came about otherwise than by settings"""
EXPLORED = {"hand": "by hand", "tuning": "by a search with a number of trials of its own",
            "command line": "on a command line"}  # fmt: skip
"""How settings came about → in words"""
LOOKED = "may have been picked after a look at the test results"
OVERRIDES = f"A CLI override is not marked as the best beside other rows: it {LOOKED}."
ONLY_OVERRIDES = f"All are CLI overrides: the best {LOOKED}."
ONE_OVERRIDE = f"It is a CLI override, which {LOOKED}."
AT_LEAST = "At least: some trials of older settings have no record."


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
        _tables(report),
        published_section.section(report),
        _other_lengths(report),
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


def _other_lengths(report: Report) -> str:
    rows, names = [entry.row for entry in report.done], [entry.name for entry in report.done]
    return lengths_table.section(rows, names, report.board.k)


def _banner(board: Board) -> str:
    if not board.dataset.synthetic:
        return ""
    return "**Synthetic data, made by this project's generator: no number here is a real dataset's.**\n"


def _tables(report: Report) -> str:
    """The official rows, then those that no common procedure led to, and what that means."""
    times = f", seconds on {report.machine}" if report.machine else ""
    parts: list[str] = []
    if report.official:
        parts += [f"## Models{times}\n", _table(report, report.official), f"{_official(report)}\n"]
    if report.explored:
        parts += [f"## Explored further{'' if report.official else times}\n", _table(report, report.explored)]
        counted = any(entry.row.provenance.at_least for entry in report.explored)
        said = filter(
            None, (_explored(report.explored), AT_LEAST if counted else "", _overrides(report.explored))
        )
        parts.append(" ".join(said) + "\n")
    notes = [*main_table.footnotes([report.official, report.explored]), *warnings.marks(report)]
    notes = [note.replace("*", "\\*") + "\n" for note in notes]
    return "\n".join([*parts, *notes])


def _official(report: Report) -> str:
    """How official rows came about, and which models lack one by a search where others have it, or any."""
    models = dict.fromkeys(entry.row.model for entry in report.official)
    explored = dict.fromkeys(
        entry.row.model for entry in report.explored if entry.row.provenance.by in EXPLORED
    )
    without = [model for model in explored if model not in models]
    searched = {entry.row.model for entry in report.official if entry.row.provenance.by == "budget"}
    others = [model for model in models if model not in searched] if searched else []
    said = [SEARCHED if searched else DEFAULTS]
    said += [f"Not searched: {', '.join(others)}."] if others else []
    below = _below_defaults(report.official)
    said += [f"{BELOW_DEFAULTS}: {', '.join(below)}."] if below else []
    said += [f"Without an official row: {', '.join(without)}."] if without else []
    return " ".join(said)


def _below_defaults(entries: Sequence[Entry]) -> list[str]:
    """The models whose searched row, of settings of its own, has a lower test NDCG than their defaults."""
    rows = [entry.row for entry in entries if entry.row.done and not entry.repeats]
    defaults = {row.model: row.mean("ndcg") for row in rows if row.provenance.by == "defaults"}
    searched = {row.model: row.mean("ndcg") for row in rows if row.provenance.by == "budget"}
    return [model for model, score in searched.items() if score < defaults.get(model, score)]


def _explored(entries: Sequence[Entry]) -> str:
    """Where rows that no common procedure led to come from."""
    ways = {entry.row.provenance.by for entry in entries}
    found = [words for way, words in EXPLORED.items() if way in ways]
    parts = [f"settings found {', '.join(found[:-1])}{' or ' * (len(found) > 1)}{found[-1]}"] if found else []
    parts += [words for way, words in OTHER_ROWS.items() if way in ways]
    text = ", and ".join(parts)
    return f"{text[0].upper()}{text[1:]}: follow the link to what was done."


def _overrides(entries: Sequence[Entry]) -> str:
    """What to know of settings from command lines; "" where a table has none."""
    done = [entry.row.provenance.by_command for entry in entries if entry.row.done]
    if not any(done):
        return ""
    if not all(done):
        return OVERRIDES
    return ONLY_OVERRIDES if len(done) > 1 else ONE_OVERRIDE


def _table(report: Report, entries: Sequence[Entry]) -> str:
    return main_table.markdown(main_table.main_table(report, entries))
