"""The other forms of a dataset's boards, beside their Markdown: pages, pictures and LaTeX tables."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from retrieval_leaderboard import PREFIX, WORKSPACE
from retrieval_leaderboard.evaluation.reports.figures import svg, tex, vega
from retrieval_leaderboard.evaluation.reports.figures.from_board import board_data
from retrieval_leaderboard.evaluation.reports.html import page
from retrieval_leaderboard.evaluation.reports.pages import warnings
from retrieval_leaderboard.evaluation.reports.report import Report
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


def names(stem: str) -> list[str]:
    """Every file that a board may have, beside its Markdown."""
    return [f"{stem}.html", *(f"{stem}-{picture}.svg" for picture in svg.CHARTS), f"{stem}.tex"]


def write(folder: Path, named: Mapping[str, Report], formats: Sequence[str]) -> list[Path]:
    """Write every board in each of `formats`; the files.

    Args:
        folder: where to.
        named: stem of a page → its board.
        formats: keys of FORMATS.

    Raises:
        InputError: the packages that draw are not installed, or nothing can be written there.
    """
    return [file for stem in named if formats for file in _write(folder, stem, named, formats)]


def _write(folder: Path, stem: str, named: Mapping[str, Report], formats: Sequence[str]) -> Iterator[Path]:
    for name, text in _files(folder, stem, named, formats):
        write_text(folder / name, text)
        yield folder / name


def _files(
    folder: Path, stem: str, named: Mapping[str, Report], formats: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Name and text of each file of a board; without results it has none but its page."""
    about = named[stem]
    data = board_data(about)
    if "html" in formats:
        siblings = {f"{other}.html": each.board.heading for other, each in named.items() if other != stem}
        yield f"{stem}.html", page.page(data, _notes(about), siblings, _again(folder, formats))
    if "svg" in formats:
        for name, text in svg.pictures(data).items():
            yield f"{stem}-{name}.svg", text
    if "tex" in formats and data.done:
        yield f"{stem}.tex", tex.table(data)


def _notes(about: Report) -> list[str]:
    """What readers should know or doubt, and what the marks of rows mean."""
    return [*about.board.dataset.notes, *warnings.warnings(about), *warnings.marks(about)]


def _again(folder: Path, formats: Sequence[str]) -> str:
    """The command that makes the files of a dataset's folder from its runs."""
    results = folder.parent
    where = results.relative_to(WORKSPACE) if results.is_relative_to(WORKSPACE) else results
    told = ["--dataset", folder.name, "--results-dir", str(where), OPTION, ",".join(formats)]
    return shlex.join(["python", "-m", f"{PREFIX}evaluation", "report", *told])
