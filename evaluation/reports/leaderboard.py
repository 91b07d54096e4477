"""Boards as Markdown and CSV files."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import mean, stdev

from retrieval_leaderboard import ROOT, WORKSPACE
from retrieval_leaderboard.datasets.splits import validation
from retrieval_leaderboard.evaluation.reports import csv_table, index_section, main_table, references
from retrieval_leaderboard.evaluation.reports.board import Board, Row, contenders, read_boards
from retrieval_leaderboard.evaluation.reports.labels import labels, settings_line, written
from retrieval_leaderboard.evaluation.reports.slice_table import slice_table
from retrieval_leaderboard.evaluation.statistics import queries
from retrieval_leaderboard.support import markdown as tables
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import write_text

LEADERBOARD, TABLE = "leaderboard.md", "leaderboard.csv"
SHIPPED = ROOT / "results"
"""Boards that came with the project."""
OWN = "local"
"""Folder of the user's own boards, in that of the shipped ones."""
OWN_RESULTS = WORKSPACE / "results" / OWN
BUSY = 0.25
"""Cores kept busy by other processes from which a board says so, of fits of a second or more."""


def write(folder: Path, fingerprint: str, k: int) -> Board:
    """Derive `leaderboard.md` and `leaderboard.csv` of a dataset's folder from its stored runs.

    The shipped runs on the same data stand on its boards too, marked.

    The Markdown file holds every board of the folder, that of (`fingerprint`, `k`) first; the CSV
    file holds that board alone. `results/README.md` beside the folder is brought up to date, and so are the
    metrics of each query that the folder's rows keep.

    Returns:
        The board of (`fingerprint`, `k`).
    """
    families = read_boards(folder, shipped_beside(folder))
    asked = next(board for family in families for board in family if board.is_about(fingerprint, k))
    families.sort(key=lambda family: asked not in family)
    for row in (row for family in families for board in family for row in board.rows if not row.shipped):
        queries.keep(row)
    shown = [(asked if asked in family else family[0], family) for family in families]
    pages = [markdown(board, family) + index_section.section(folder, board) for board, family in shown]
    write_text(folder / LEADERBOARD, "\n".join(pages))
    write_text(folder / TABLE, csv_table.text(asked))
    write_text(folder.parent / "README.md", index(folder.parent))
    return asked


def derive(folder: Path) -> Path:
    """Write every table of a dataset's folder anew; the folder.

    The first board is the one that leaderboard.csv is about, or else the one with the newest run.

    Raises:
        InputError: no run there can be read.
    """
    boards = [board for family in read_boards(folder) for board in family]
    if not boards:
        raise InputError(f"{folder} holds no run that can be read")
    before = csv_table.about(folder / TABLE)
    newest = max(boards, key=lambda board: max(record.date for record in board.records))
    asked = next((board for board in boards if (board.fingerprint, board.k) == before), newest)
    write(folder, asked.fingerprint, asked.k)
    return folder


def shipped_beside(folder: Path) -> Path | None:
    """The folder of the shipped runs on the dataset of `folder`; None where it is that folder."""
    shipped = SHIPPED / folder.name
    return None if shipped.resolve() == folder.resolve() else shipped


def markdown(board: Board, family: list[Board]) -> str:
    """One board: what it is about, its table, slices, settings and notes; and its family's spread."""
    named = labels(board.rows)
    parts = [f"# {board.heading}\n", *_banner(board), _about(board), main_table.markdown(board)]
    parts += references.section(board, named)
    parts += ["## Slices\n", slice_table(board.rows, named, board.k)]
    parts += ["## Settings\n", settings_list(board, named)]
    if len(family) > 1:
        parts += ["## Spread over split seeds\n", spread_table(family)]
    parts += data_section(board)
    notes = [*board.dataset.notes, *warnings(board)]
    if notes:
        parts += ["## Notes\n", "\n".join(f"- {note}" for note in notes) + "\n"]
    return "\n".join(parts)


def data_section(board: Board) -> list[str]:
    """What was read and how, by the newest run that says so, and which part validation is."""
    profiled = [record for record in board.records if record.dataset.profile]
    newest = max(profiled, key=lambda record: record.date, default=None)
    lines = newest.dataset.profile.lines() if newest and newest.dataset.profile else []
    about = board.dataset
    lines.append(f"validation: {validation.describe(about.protocol, about.carve)}")
    return ["## Data\n", "\n".join(f"- {line}" for line in lines) + "\n"]


def spread_table(family: list[Board]) -> str:
    """Mean ± sd of each model with the same settings over boards that differ in the split seed alone."""
    together: dict[tuple[str, str], list[Row]] = {}
    for row in (row for board in family for row in board.rows if row.done):
        together.setdefault((row.model, written(row.settings)), []).append(row)
    named = labels([rows[0] for rows in together.values()])
    header = [
        "model",
        "split seeds",
        *(main_table.metric_column(name, family[0].k) for name in main_table.SHOWN),
    ]
    body = [
        [label, str(len(rows)), *(_over_splits(rows, name) for name in main_table.SHOWN)]
        for label, rows in zip(named, together.values(), strict=True)
        if len(rows) > 1
    ]
    return tables.table(body, header, numbers=range(1, len(header))) + "\n"


def _over_splits(rows: list[Row], name: str) -> str:
    values = [row.mean(name) for row in rows]
    return f"{mean(values):.4f} ± {stdev(values):.4f}"


def _banner(board: Board) -> list[str]:
    if not board.dataset.synthetic:
        return []
    return ["**Synthetic data, made by this project's generator: no number here is a real dataset's.**\n"]


def _about(board: Board) -> str:
    about = board.dataset
    date = max(record.date for record in board.records)
    split = f" · split seed {board.split_seed}" if board.split_seed else ""
    return (
        f"{about.users:,} users · {about.items:,} items in the catalog · "
        f"{about.train_valid_interactions:,} training interactions (validation part included) · "
        f"{about.test_queries:,} queries with {about.test_items:,} relevant items  \n"
        f"Fingerprint `{board.fingerprint}`{split} · {date} · {machines(board)}\n"
    )


def machines(board: Board) -> str:
    """What the runs were made on, by the numbers that stand in the table."""
    return "; ".join(f"machine {number}: {name}" for number, name in enumerate(board.machines, start=1))


def settings_list(board: Board, named: list[str]) -> str:
    """The settings and seeds of each row, called as `named`, and how they came about."""
    rows = zip(board.rows, named, strict=True)
    return "".join(
        f"- **{label}** ({row.provenance.summary()}): {settings_line(row)}; {_seeds(row)}\n"
        for row, label in rows
    )


def _seeds(row: Row) -> str:
    return "seed " + ", ".join(str(record.seed) for record in row.done + row.failed)


def _cores_elsewhere(row: Row) -> float:
    """The most among the row's fits of a second or more."""
    costs = [record.costs for record in row.done]
    return max((each.cores_elsewhere for each in costs if each.fit_seconds >= 1), default=0.0)


def warnings(board: Board) -> list[str]:
    """What a reader should doubt: a personalised model that popularity beats, times of a busy machine; and
    how to be rid of a run that failed.
    """
    named = list(zip(labels(board.rows), board.rows, strict=True))
    hot = [row.mean("ndcg") for row in board.rows if row.model == "global_hot" and row.done]
    beaten = [
        f"{label}: NDCG@{board.k} below Global Hot's; doubt it or its settings, unless the slices show why."
        for label, row in named
        if hot and row.done and row.mean("ndcg") < hot[0]
    ]
    busy = [
        f"{label}: while it was fitted, other processes kept {n:.1f} cores busy; alone it takes less time."
        for label, row in named
        if (n := _cores_elsewhere(row)) >= BUSY
    ]
    failed = [
        f"{label} failed ({main_table.failure(row)}): run it again, or delete {_folders(row)} beside this "
        "board, and the next command on the dataset leaves it out."
        for label, row in named
        if row.failed and not row.shipped
    ]
    return [*beaten, *busy, *failed]


def _folders(row: Row) -> str:
    return ", ".join(f"runs/{record.stem}" for record in row.failed)


def index(results: Path) -> str:
    """`README.md` of a folder of boards: every one of them, and the way to the shipped or the user's own."""
    if results.resolve() == SHIPPED.resolve():
        own = f"Boards of your own runs, once there are any: [{OWN}/]({OWN}/README.md).\n"
        parts = [own, "Boards that came with the project:\n", _boards(results, results)]
    else:
        parts = ["Boards of your own runs:\n", _boards(results, results)]
        parts += ["Boards that came with the project:\n", _boards(SHIPPED, results)]
    return "\n".join(["# Leaderboards\n", "Every table is derived from the runs stored beside it.\n", *parts])


def _boards(results: Path, seen_from: Path) -> str:
    """A line a board under `results`, linked from a page in `seen_from`."""
    lines = []
    for folder in sorted(path for path in results.glob("*") if (path / LEADERBOARD).is_file()):
        link = Path(os.path.relpath(folder / LEADERBOARD, seen_from)).as_posix()
        for board in (family[0] for family in read_boards(folder)):
            best = max(contenders(board.rows), key=lambda row: row.mean("ndcg"), default=None)
            score = "–" if best is None else f"{best.model} {best.mean('ndcg'):.4f}"
            lines.append(
                [f"[{board.heading}]({link})", len(board.rows), f"{board.dataset.test_queries:,}", score]
            )
    header = ["board", "rows", "queries", "best NDCG"]
    return tables.table(lines, header) + "\n"
