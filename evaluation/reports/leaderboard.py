"""The files of a dataset's boards, derived from its stored runs."""

from __future__ import annotations

from pathlib import Path

from retrieval_leaderboard import ROOT, WORKSPACE
from retrieval_leaderboard.evaluation.reports import csv_table
from retrieval_leaderboard.evaluation.reports.board import Board, read_boards
from retrieval_leaderboard.evaluation.reports.pages import index, page
from retrieval_leaderboard.evaluation.reports.pages.stems import ONLY, stems
from retrieval_leaderboard.evaluation.reports.report import report
from retrieval_leaderboard.evaluation.statistics import queries
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import write_text

LEADERBOARD, TABLE = f"{ONLY}.md", f"{ONLY}.csv"
SHIPPED = ROOT / "results"
"""Boards that came with the project."""
OWN = "local"
"""Folder of the user's own boards, in that of the shipped ones."""
OWN_RESULTS = WORKSPACE / "results" / OWN


def write(folder: Path, fingerprint: str, k: int) -> Board:
    """Derive every file of a dataset's folder as `derive`; the board of (`fingerprint`, `k`)."""
    families = _write(folder)
    return next(board for family in families for board in family if board.is_about(fingerprint, k))


def derive(folder: Path) -> Path:
    """Derive the files of a dataset's folder from its stored runs; the folder.

    A board has a page, `leaderboard.md` where there is one board, which else lists them; boards that differ
    in the split seed alone share the first one's. `leaderboard.csv` holds every board, `queries/` the metrics
    of each query. The shipped runs on the same data stand on its boards too, marked. `README.md` beside the
    folder is brought up to date.

    Raises:
        InputError: no run there can be read.
    """
    if not _write(folder):
        raise InputError(f"{folder} holds no run that can be read")
    return folder


def page_of(folder: Path, asked: Board) -> Path:
    """The page that a board of `folder` stands on."""
    families = read_boards(folder, shipped_beside(folder))
    about = [any(board.is_about(asked.fingerprint, asked.k) for board in family) for family in families]
    return folder / f"{stems([family[0] for family in families])[about.index(True)]}.md"


def shipped_beside(folder: Path) -> Path | None:
    """The folder of the shipped runs on the dataset of `folder`; None where it is that folder."""
    shipped = SHIPPED / folder.name
    return None if shipped.resolve() == folder.resolve() else shipped


def _write(folder: Path) -> list[list[Board]]:
    families = read_boards(folder, shipped_beside(folder))
    if not families:
        return []
    for row in (row for family in families for board in family for row in board.rows if not row.shipped):
        queries.keep(row)
    reports = [[report(board) for board in family] for family in families]
    names = stems([family[0] for family in families])
    for stem, family, of_family in zip(names, families, reports, strict=True):
        write_text(folder / f"{stem}.md", page.markdown(of_family[0], family, folder))
    _remove_others(folder, names)
    if len(names) > 1:
        write_text(folder / LEADERBOARD, index.of_dataset(folder))
    write_text(folder / TABLE, csv_table.text([each for family in reports for each in family]))
    write_text(folder.parent / "README.md", index.of_results(folder.parent, SHIPPED, OWN))
    return families


def _remove_others(folder: Path, names: list[str]) -> None:
    """Pages of boards that have another name now, or no run."""
    for link in index.pages(folder):
        if link.path.stem not in names:
            link.path.unlink()
