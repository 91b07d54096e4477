"""The other forms of a dataset's boards, beside their Markdown: pages, pictures and LaTeX tables."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from retrieval_leaderboard.evaluation.reports import leaderboard
from retrieval_leaderboard.evaluation.reports.board import Board, read_boards
from retrieval_leaderboard.evaluation.reports.figures import svg, tex, vega
from retrieval_leaderboard.evaluation.reports.figures.from_board import board_data
from retrieval_leaderboard.evaluation.reports.html import page
from retrieval_leaderboard.evaluation.reports.pages import warnings
from retrieval_leaderboard.evaluation.reports.pages.stems import stems
from retrieval_leaderboard.evaluation.reports.report import Report, report
from retrieval_leaderboard.support.errors import need, unknown
from retrieval_leaderboard.support.storage.files import write_text

FORMATS = {
    "html": "one file that needs no network",
    "svg": "quality × cost, and intervals",
    "tex": "a table for LaTeX with booktabs",
}
NEEDED = {"html": page.PACKAGES, "svg": vega.PACKAGES}
"""Format → the packages that draw it"""
OPTION = "--report"


def add_argument(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add `--report html,svg,tex` to a command."""
    told = "; ".join(f"{name}: {words}" for name, words in FORMATS.items())
    parser.add_argument(OPTION, type=parse, default=(), metavar="A,B", help=f"also write boards as {told}")


def parse(text: str) -> tuple[str, ...]:
    """The formats that an option names.

    Raises:
        InputError: one of them is none, or the packages that draw it are not installed.
    """
    names = tuple(dict.fromkeys(each.strip() for each in text.split(",")))
    for name in names:
        if name not in FORMATS:
            raise unknown(f"format in {OPTION}", name, FORMATS)
        need(NEEDED.get(name, ()), vega.LOCK)  # Before anything is fitted.
    return names


def write(folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write every board of a dataset's `folder` in each of `formats`; the files.

    Raises:
        InputError: the packages that draw are not installed, or nothing can be written there.
    """
    if not formats:
        return []
    boards = [family[0] for family in read_boards(folder, leaderboard.shipped_beside(folder))]
    named = dict(zip(stems(boards), boards, strict=True))
    return [file for stem in named for file in _write(folder, stem, named, formats)]


def _write(folder: Path, stem: str, named: dict[str, Board], formats: Sequence[str]) -> Iterator[Path]:
    for name, text in _files(stem, report(named[stem]), named, formats):
        write_text(folder / name, text)
        yield folder / name


def _files(
    stem: str, about: Report, named: dict[str, Board], formats: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Name and text of each file of a board; without results it has none but its page."""
    data = board_data(about)
    if "html" in formats:
        siblings = {f"{other}.html": board.heading for other, board in named.items() if other != stem}
        yield f"{stem}.html", page.page(data, _notes(about), siblings, _again(named[stem], formats))
    if "svg" in formats:
        for name, text in svg.pictures(data).items():
            yield f"{stem}-{name}.svg", text
    if "tex" in formats and data.done:
        yield f"{stem}.tex", tex.table(data)


def _notes(about: Report) -> list[str]:
    """What readers should know or doubt, and what the marks of rows mean."""
    return [*about.board.dataset.notes, *warnings.warnings(about), *warnings.marks(about)]


def _again(board: Board, formats: Sequence[str]) -> str:
    return shlex.join(
        ["python", "-m", "evaluation", "report", "--dataset", board.dataset.name, OPTION, ",".join(formats)]
    )
