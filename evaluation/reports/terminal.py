"""A board on the terminal: its main table as wide as there is room for, and what to doubt in it."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from retrieval_leaderboard.evaluation.reports import leaderboard
from retrieval_leaderboard.evaluation.reports.board import Board
from retrieval_leaderboard.evaluation.reports.main_table import FEWER, Line, MainTable, main_table

FIRST = ("NDCG", "Recall", "fit s", "MAP", "Precision", "tuning", "parameters", "rank s", "machine")
"""How the columns that are left out last begin, in this order; the others come after them."""
WIDE = 10_000
"""Columns no terminal has."""


def show(board: Board, console: Console | None = None) -> None:
    """Print the main table of `board` and its footnotes, then the dataset's notes and the warnings.

    Args:
        board: whose rows to show.
        console: where to; standard output by default, in plain text where that is no terminal.
    """
    console = console or _console()
    console.print(board.heading, style="bold")
    table = main_table(board)
    shown = draw(table, console)
    console.print()
    for footnote in _footnotes(table, shown, board):
        console.print(footnote, style="dim")
    for note in board.dataset.notes:
        console.print(f"note: {note}")
    for warning in leaderboard.warnings(board):
        console.print(f"warning: {warning}", style="yellow")


def draw(table: MainTable, console: Console | None = None) -> list[str]:
    """Print a table; the columns that there was room for, beside that of the labels."""
    console = console or _console()
    columns = _that_fit(table, console)
    console.print(_drawn(table, columns, console.width))
    return columns


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command; rich would end it as if a run had failed."""
        raise BrokenPipeError


def _console() -> Console:
    return _Console(highlight=False, markup=False, emoji=False)


def _footnotes(table: MainTable, shown: list[str], board: Board) -> list[str]:
    """What the columns that are shown need to be understood, and what the others are."""
    notes = [note for note in table.footnotes if "tuning" in shown or not note.startswith(FEWER)]
    left_out = [column for column in table.columns if column not in shown]
    if "machine" in shown:
        notes.append(leaderboard.machines(board))
    if left_out:
        notes.append(f"Also on the board: {', '.join(left_out)}.")
    return notes


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
    return ranks[0] if ranks else len(FIRST)


def _drawn(table: MainTable, columns: list[str], width: int) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    # Labels may be wrapped, numbers may not.
    drawn.add_column(table.labeled, overflow="fold", max_width=max(16, width // 3))
    for column in columns:
        drawn.add_column(column, justify="right", no_wrap=True)
    for line in table.lines:
        label = f"{line.label} (failed)" if line.reason else line.label
        drawn.add_row(Text(label, "red" if line.reason else ""), *(_cell(line, each) for each in columns))
    return drawn


def _cell(line: Line, column: str) -> Text:
    return Text(line.cells[column], "bold green" if column in line.best else "")
