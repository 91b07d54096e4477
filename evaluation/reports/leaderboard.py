"""The files of a dataset's boards, derived from its stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval_leaderboard import ROOT, WORKSPACE
from retrieval_leaderboard.evaluation.reports import csv_table, formats
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.reports.pages import index, page
from retrieval_leaderboard.evaluation.reports.pages.stems import ONLY, stems
from retrieval_leaderboard.evaluation.reports.report import Report, report
from retrieval_leaderboard.evaluation.statistics import queries
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import write_text
from retrieval_leaderboard.support.storage.locks import locked

LEADERBOARD, TABLE = f"{ONLY}.md", f"{ONLY}.csv"
SHIPPED = ROOT / "results"
"""Boards that came with the project."""
OWN = "local"
"""Folder of the user's own boards, in that of the shipped ones."""
OWN_RESULTS = WORKSPACE / "results" / OWN
LOCK = ".index.lock"
"""Of the list of all boards, which commands on different datasets write"""


@dataclass(frozen=True)
class Derived:
    """The boards of a dataset's folder, whose files have been written."""

    folder: Path
    pages: dict[str, list[Report]]
    """Stem of a page → its board, and those that differ from it in the split seed alone"""

    def report(self, fingerprint: str, k: int) -> Report:
        """What pages say of the board of `fingerprint` and `k`."""
        return self._find(fingerprint, k)[1]

    def page(self, fingerprint: str, k: int) -> Path:
        """The page that this board stands on."""
        return self.folder / f"{self._find(fingerprint, k)[0]}.md"

    def write(self, others: Sequence[str]) -> list[Path]:
        """Write every page in `others`, keys of `formats.FORMATS`, too; the files."""
        return formats.write(self.folder, {stem: family[0] for stem, family in self.pages.items()}, others)

    def _find(self, fingerprint: str, k: int) -> tuple[str, Report]:
        named = ((stem, each) for stem, family in self.pages.items() for each in family)
        return next((stem, each) for stem, each in named if each.board.is_about(fingerprint, k))


def derive(folder: Path) -> Derived:
    """Derive the files of a dataset's folder from its stored runs.

    A board has a page, `leaderboard.md` where there is one board, which else lists them; boards that differ
    in the split seed alone share the first one's. A page whose board is called otherwise by now, as beside
    others, leads there. `leaderboard.csv` holds every board, `queries/` the metrics
    of each query. The shipped runs on the same data stand on its boards too, marked. `README.md` beside the
    folder is brought up to date.

    Raises:
        InputError: no run there can be read.
    """
    families = read_boards(folder, shipped_beside(folder))
    if not families:
        raise InputError(f"{folder} holds no run that can be read")
    for row in (row for family in families for board in family for row in board.rows if not row.shipped):
        queries.keep(row)
    reports = [[report(board) for board in family] for family in families]
    found = Derived(folder, dict(zip(stems([family[0] for family in families]), reports, strict=True)))
    for stem, of_family in found.pages.items():
        boards = [each.board for each in of_family]
        write_text(folder / f"{stem}.md", page.markdown(of_family[0], boards, folder))
    _leave_others(found)
    if len(found.pages) > 1:
        write_text(folder / LEADERBOARD, index.of_dataset(folder))
    write_text(folder / TABLE, csv_table.text([each for family in reports for each in family]))
    _write_index(folder.parent)
    return found


def _write_index(results: Path) -> None:
    """The page of all boards; someone's own README stays."""
    path = results / "README.md"
    if path.is_file() and not path.read_text(encoding="utf-8", errors="replace").startswith(index.TITLE):
        progress.warn_once(f"{path} is no list of leaderboards: it stays, and none is written")
        return
    with locked(results, f"another command writes into {results}: waiting for it", LOCK):
        write_text(path, index.of_results(results, SHIPPED, OWN))


def shipped_beside(folder: Path) -> Path | None:
    """The folder of the shipped runs on the dataset of `folder`; None where it is that folder."""
    shipped = SHIPPED / folder.name
    return None if shipped.resolve() == folder.resolve() else shipped


def _leave_others(found: Derived) -> None:
    """Have pages of boards that have another name now lead there; remove those of no run, and drawings."""
    links = {link.path.stem: link for link in index.pages(found.folder)}
    now = [links[stem] for stem in found.pages]
    for stem in (links.keys() | {ONLY}) - found.pages.keys():
        for name in (f"{stem}.md", *formats.names(stem)):
            (found.folder / name).unlink(missing_ok=True)
        if stem in links and (moved := [link for link in now if link.title == links[stem].title]):
            write_text(links[stem].path, index.moved(moved, found.folder))
