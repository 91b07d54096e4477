"""The board's section on index kinds, from the `indexes.json` beside the records of its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tabulate import tabulate

from retrieval_leaderboard.evaluation.reports.board import Board
from retrieval_leaderboard.evaluation.reports.main_table import Line, MainTable
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.support import sealed

INDEXES = "indexes.json"
FORM: sealed.Form = {
    "items": int, "dimension": int, "queries": int, "k": int, "ndcg_exact": float, "date": str,
    "processor": str, "threads": int, "cores_elsewhere": float,
    "kinds": [{
        "kind": str, "build_seconds": float, "bytes_per_item": float, "queries_per_second_one_thread": float,
        "queries_per_second_all_threads": float, "recall": float, "ndcg_lost": float, "parameters": dict,
    }],
}  # fmt: skip
HEADER = (
    "index", "build s", "bytes/item", "queries/s, 1 thread", "queries/s, all", "Recall@{k} of exact",
    "NDCG@{k} lost", "parameters",
)  # fmt: skip


def section(folder: Path, board: Board) -> str:
    """A table for each run of `board` under `folder` whose indexes were compared; "" where none was."""
    parts = []
    for run, record in records.of_board(folder).items():
        if board.is_about(record["fingerprint"], record["k"]):
            compared = records.beside(run / INDEXES, FORM)
            parts += [of_run(run.name, compared)] if compared else []
    return "\n".join(["\n## Index kinds\n", *parts]) if parts else ""


def of_run(name: str, compared: dict[str, Any]) -> str:
    """One run's table, and what it was measured on."""
    about = (
        f"`{name}`: {compared['items']:,} item vectors of {compared['dimension']} dimensions, "
        f"{compared['queries']:,} test queries, NDCG@{compared['k']} {compared['ndcg_exact']:.4f} exact  \n"
        f"{compared['date']} · {compared['processor']}, {compared['threads']} threads, "
        f"other processes kept {compared['cores_elsewhere']:.1f} cores busy\n\n"
    )
    return about + table(compared)


def table(compared: dict[str, Any]) -> str:
    """A row a kind, as Markdown."""
    body = [_row(kind) for kind in compared["kinds"]]
    align = ["left", *["right"] * 6, "left"]
    return tabulate(body, _header(compared), tablefmt="pipe", colalign=align, disable_numparse=True) + "\n"


def for_terminal(compared: dict[str, Any]) -> MainTable:
    """The same rows, to be drawn by `terminal.draw`."""
    first, *columns = _header(compared)
    rows = [_row(kind) for kind in compared["kinds"]]
    lines = [Line(label, dict(zip(columns, cells, strict=True))) for label, *cells in rows]
    return MainTable(columns, lines, [], labeled=first)


def _header(compared: dict[str, Any]) -> list[str]:
    return [label.format(k=compared["k"]) for label in HEADER]


def _row(kind: dict[str, Any]) -> list[str]:
    return [
        kind["kind"],
        f"{kind['build_seconds']:,.2f}",
        f"{kind['bytes_per_item']:,.0f}",
        f"{kind['queries_per_second_one_thread']:,.0f}",
        f"{kind['queries_per_second_all_threads']:,.0f}",
        f"{kind['recall']:.4f}",
        # A loss below half a digit, of either sign, is none.
        f"{round(kind['ndcg_lost'], 4) + 0.0:.4f}",
        ", ".join(f"{key} {value}" for key, value in kind["parameters"].items()) or "–",
    ]
