"""The metrics and costs of a board that its main tables leave out."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval_leaderboard.evaluation.metrics.measure import LIST_LEVEL
from retrieval_leaderboard.evaluation.reports.costs import FORMS, NONE, RowCosts
from retrieval_leaderboard.evaluation.reports.main_table import (
    FIRST,
    SHOWN,
    mean_cell,
    metric_column,
    spread_cell,
)
from retrieval_leaderboard.evaluation.reports.report import Entry, Report
from retrieval_leaderboard.support import markdown

SPREAD = "±: one standard deviation over seeds.\n"
REST = [column for column in FORMS if column not in ("fit s", "rank s")]
"""Columns of costs that the main tables leave out"""


def list_metrics(report: Report) -> str:
    """What whole lists are like, whatever is relevant; "" where no run measured it."""
    known = [name for name in LIST_LEVEL if any(entry.row.values(name) for entry in report.done)]
    body = [[entry.name, *(_plain(entry, name) for name in known)] for entry in report.done]
    return _table("List metrics", body, [LIST_LEVEL[name].title for name in known])


def other_metrics(report: Report) -> str:
    """Those of boards beside NDCG and Recall."""
    others = [name for name in SHOWN if name not in FIRST]
    body = [[entry.name, *(_with_spread(entry, name) for name in others)] for entry in report.done]
    text = _table("Other metrics", body, [metric_column(name, report.board.k) for name in others])
    return text + (f"\n{SPREAD}" if "±" in text else "")


def other_costs(report: Report) -> str:
    """Speed, memory and size; the memory of a GPU has a column where a run used one."""
    on_gpu = any(entry.costs.mean("peak_gpu_mib") for entry in report.done)
    columns = [column for column in REST if on_gpu or column != "peak GPU MiB"]
    body = [[entry.name, *(_cost(entry, column) for column in columns)] for entry in report.done]
    return _table("Other costs", body, columns)


def _table(heading: str, body: Sequence[Sequence[str]], columns: Sequence[str]) -> str:
    if not body or not columns:
        return ""
    drawn = markdown.table(body, ["model", *columns], numbers=range(1, len(columns) + 1))
    return f"## {heading}\n\n{drawn}\n"


def _plain(entry: Entry, name: str) -> str:
    return f"{entry.row.mean(name):.4g}" if entry.row.values(name) else NONE


def _with_spread(entry: Entry, name: str) -> str:
    return " ".join(filter(None, (mean_cell(entry.row, name), spread_cell(entry.row, name))))


def _cost(entry: Entry, column: str) -> str:
    """A model has as many parameters on every machine."""
    every = RowCosts([record.costs for record in entry.row.done])
    return (every if column == "parameters" else entry.costs).cell(column)
