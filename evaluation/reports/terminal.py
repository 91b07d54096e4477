"""A board on the terminal: the verdict, its tables as wide as there is room for, and what to doubt in it."""

from __future__ import annotations

import textwrap

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from retrieval_leaderboard.evaluation.reports.labels import legend
from retrieval_leaderboard.evaluation.reports.main_table import (
    CHANGE,
    MADE,
    Line,
    MainTable,
    footnotes,
    main_table,
)
from retrieval_leaderboard.evaluation.reports.pages import warnings
from retrieval_leaderboard.evaluation.reports.pages.verdict import verdict
from retrieval_leaderboard.evaluation.reports.report import Report

FIRST = ("NDCG", "Recall", "fit s", CHANGE, "rank", MADE, "rank s")
"""How the columns that are left out last begin, in this order; the others come after them."""
SETTINGS = 24
"""Characters of a line that tells how settings came about"""
WIDE = 10_000
"""Columns no terminal has."""


def show(found: Report, console: Console | None = None) -> None:
    """Print the verdict, the tables of a board and their footnotes, the dataset's notes and the warnings.

    There is no page to link to: rows that a number tells apart have their settings below the tables.

    Args:
        found: of the board whose rows to show.
        console: where to; standard output by default, in plain text where that is no terminal.
    """
    console = console or _console()
    console.print(found.board.heading, style="bold")
    console.print(verdict(found).replace("**", ""))
    for heading, entries in (("", found.official), ("Explored further", found.explored)):
        if entries:
            console.print(f"\n{heading}" if heading else "", style="bold")
            draw(main_table(found, entries), console)
    console.print()
    for name, settings in legend([entry.row for entry in found.entries]).items():
        console.print(_wrapped(f"{name}: {settings}", console.width))
    for footnote in [*footnotes([found.official, found.explored]), *warnings.marks(found)]:
        console.print(footnote, style="dim")
    if found.machine:
        console.print(f"Seconds on {found.machine}.", style="dim")
    for note in found.board.dataset.notes:
        console.print(f"note: {note}")
    for warning in warnings.warnings(found):
        console.print(f"warning: {warning}", style="yellow")


def draw(table: MainTable, console: Console | None = None) -> None:
    """Print a table, with the columns that there is room for beside that of the labels."""
    console = console or _console()
    console.print(_drawn(table, _that_fit(table, console), console.width))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command; rich would end it as if a run had failed."""
        raise BrokenPipeError


def _console() -> Console:
    return _Console(highlight=False, markup=False, emoji=False)


def _that_fit(table: MainTable, console: Console) -> list[str]:
    """As many columns, by priority, as the console has room for, one at least; in the table's order."""
    wide = console.options.update_width(WIDE)
    fitting: list[str] = []
    for column in sorted(table.columns, key=_priority):
        more = [each for each in table.columns if each in (*fitting, column)]
        drawn = _drawn(table, more, console.width)
        if not fitting or console.measure(drawn, options=wide).maximum <= console.width:
            fitting = more
    return fitting


def _priority(column: str) -> int:
    ranks = [rank for rank, beginning in enumerate(FIRST) if column.startswith(beginning)]
    return ranks[-1] if ranks else len(FIRST)


def _drawn(table: MainTable, columns: list[str], width: int) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    drawn.add_column(table.labeled, no_wrap=True)
    for column in columns:
        drawn.add_column(column, justify="left" if column == MADE else "right", no_wrap=True)
    for line in table.lines:
        label = _wrapped(line.label, max(16, width // 3))
        drawn.add_row(Text(label, "red" if line.failed else ""), *(_cell(line, each) for each in columns))
    return drawn


def _cell(line: Line, column: str) -> Text:
    # Words may be wrapped, numbers may not.
    text = _wrapped(line.cells[column], SETTINGS) if column == MADE else line.cells[column]
    return Text(text, "bold green" if column in line.best else "")


def _wrapped(text: str, width: int) -> str:
    """What goes on in a second line is indented: a row begins at the left."""
    return textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False)
