"""The page's table: columns, and cells with what they sort by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from retrieval_leaderboard.evaluation.reports.costs import FORMS
from retrieval_leaderboard.evaluation.reports.figures.data import COSTS, BoardData, RowData, best
from retrieval_leaderboard.evaluation.reports.figures.detail_charts import written_p
from retrieval_leaderboard.evaluation.reports.main_table import CHANGE
from retrieval_leaderboard.evaluation.statistics.standing import Interval

NONE = "–"
FORM = dict(FORMS.values())
"""Field of `Costs` → how it is written"""
HELP = {
    "fit_seconds": "Seconds to fit",
    "recommend_seconds": "Seconds to rank all test queries",
    "peak_rss_mib": "Largest memory of the process",
    "peak_gpu_mib": "Largest memory on the GPU",
    "parameters": "Numbers that the model holds",
}
"""Field of `Costs` that has a column → what it is"""


@dataclass(frozen=True)
class Cell:
    """A figure as text, with a second line, and what it sorts by; "" sorts last."""

    text: str = NONE
    sort: float | str = ""
    under: str = ""
    best: bool = False


@dataclass(frozen=True)
class Column:
    """A column and its cell of a row."""

    title: str
    kind: str
    """Class of the column's head"""
    cell: Callable[[RowData], Cell]
    first: str = "descending"
    """The order that a first click asks for"""
    help: str = ""


def columns(board: BoardData) -> list[Column]:
    """Those for which a row of `board` has a figure."""
    return [*_ranks(board), Column("model", "name", lambda row: Cell(row.name, row.name), "ascending"),
            *_metrics(board), *_costs(board)]  # fmt: skip


def _ranks(board: BoardData) -> Iterator[Column]:
    if any(row.rank for row in board.done):
        yield Column(
            "rank", "rank", _rank, "ascending", "Rows that share ranks are within noise of each other"
        )


def _rank(row: RowData) -> Cell:
    first = row.rank.partition("–")[0]
    return Cell(row.rank or NONE, int(first) if first.isdecimal() else "")


def _metrics(board: BoardData) -> Iterator[Column]:
    for name, title in board.metrics.items():
        tables = {
            official: [row for row in board.done if row.official is official] for official in (True, False)
        }
        leads = {official: best(rows, name) for official, rows in tables.items()}
        yield Column(title, name, partial(_metric, name, leads), help=board.bars)
        if name == "ndcg" and any(row.lead for row in board.done):
            yield Column(CHANGE, "lead", _lead, help="Difference in NDCG, and p of its test")


def _metric(name: str, leads: Mapping[bool, float], row: RowData) -> Cell:
    """`leads`: the best mean of the table of official rows, and of that of the others."""
    if name not in row.metrics:
        return Cell()
    value, under = row.metrics[name], _range(row.metrics[name]) if name == "ndcg" else ""
    return Cell(f"{value.mean:.4f}", value.mean, under, value.mean == leads[row.official])


def _range(value: Interval) -> str:
    return f"{value.low:z.4f}–{value.high:z.4f}" if value.low < value.high else ""


def _lead(row: RowData) -> Cell:
    if row.lead is None:
        return Cell()
    p = "" if row.p is None else f"p {written_p(row.p) if row.p < 0.001 else '= ' + written_p(row.p)}"
    return Cell(f"{row.lead.mean:+.4f}".replace("-", "−"), row.lead.mean, p)


def _costs(board: BoardData) -> Iterator[Column]:
    for name, words in HELP.items():
        if any(name in row.costs for row in board.done):
            yield Column(COSTS[name], "cost", partial(_cost, name), "ascending", words)


def _cost(name: str, row: RowData) -> Cell:
    if name not in row.costs:
        return Cell()
    return Cell(FORM[name].format(row.costs[name]), row.costs[name])
