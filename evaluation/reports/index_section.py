"""A board's section on index kinds and neighbor lists, from the `indexes.json` beside its records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.reports.board import Board
from retrieval_leaderboard.evaluation.reports.main_table import Line, MainTable
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.runs.record import machine
from retrieval_leaderboard.support import markdown
from retrieval_leaderboard.support.storage import sealed

INDEXES = "indexes.json"
HEADER = (
    "index", "build s", "bytes/item", "queries/s, 1 thread", "queries/s, all", "Recall@{k} of exact",
    "NDCG@{k} lost", "parameters",
)  # fmt: skip


@dataclass(frozen=True)
class IndexKind:
    """What one kind of index, or of neighbor lists, costs for a run's items, and what it loses."""

    kind: str
    parameters: dict[str, Any]
    build_seconds: float
    bytes_per_item: float
    queries_per_second_one_thread: float
    queries_per_second_all_threads: float
    recall: float
    """Of the exact lists"""
    ndcg_lost: float


@dataclass(frozen=True)
class IndexComparison:
    """All kinds for one run's items."""

    fingerprint: str
    model: str
    model_hash: str
    k: int
    items: int
    dimension: int
    """of the item vectors; 0 where items have neighbor lists"""
    queries: int
    ndcg_exact: float
    kinds: tuple[IndexKind, ...]
    date: str
    processor: str
    threads: int
    cores_elsewhere: float
    commit: str
    schema: int = 1


def load(path: Path) -> IndexComparison:
    """What `write` wrote; DamagedError or OSError as `sealed.load`."""
    return sealed.load(path, IndexComparison)


def write(run: Path, compared: IndexComparison) -> None:
    """Write it beside the record of the run in `run`."""
    sealed.write(run / INDEXES, asdict(compared))


def section(folder: Path, board: Board) -> str:
    """A table for each run of `board` under `folder` whose indexes were compared; "" where none was."""
    parts = []
    for run, record in records.of_board(folder).items():
        if board.is_about(record.fingerprint, record.k):
            compared = records.or_none(load, run / INDEXES, "compare the indexes again, or remove the file")
            parts += [of_run(run.name, compared)] if compared else []
    return "\n".join(["\n## Index kinds\n", *parts]) if parts else ""


def of_run(name: str, compared: IndexComparison) -> str:
    """One run's table, and what it was measured on."""
    vectors = f"{compared.items:,} item vectors of {compared.dimension} dimensions"
    about = (
        f"`{name}`: {vectors if compared.dimension else f'neighbor lists of {compared.items:,} items'}, "
        f"{compared.queries:,} test queries, NDCG@{compared.k} {compared.ndcg_exact:.4f} exact  \n"
        f"{compared.date} · {machine(compared.processor, compared.threads)}, "
        f"other processes kept {compared.cores_elsewhere:.1f} cores busy\n\n"
    )
    return about + table(compared)


def table(compared: IndexComparison) -> str:
    """A row a kind, as Markdown."""
    body = [_row(kind) for kind in compared.kinds]
    return markdown.table(body, _header(compared.k), numbers=range(1, 7)) + "\n"


def for_terminal(compared: IndexComparison) -> MainTable:
    """The same rows, to be drawn by `terminal.draw`."""
    first, *columns = _header(compared.k)
    rows = [_row(kind) for kind in compared.kinds]
    lines = [Line(label, dict(zip(columns, cells, strict=True))) for label, *cells in rows]
    return MainTable(columns, lines, labeled=first)


def _header(k: int) -> list[str]:
    return [label.format(k=k) for label in HEADER]


def _row(kind: IndexKind) -> list[str]:
    return [
        kind.kind,
        f"{kind.build_seconds:,.2f}",
        f"{kind.bytes_per_item:,.0f}",
        f"{kind.queries_per_second_one_thread:,.0f}",
        f"{kind.queries_per_second_all_threads:,.0f}",
        f"{kind.recall:.4f}",
        # A loss below half a digit, of either sign, is none.
        f"{round(kind.ndcg_lost, 4) + 0.0:.4f}",
        ", ".join(f"{key} {value}" for key, value in kind.parameters.items()) or "–",
    ]
