"""A board's main table: a row a model, its metrics and costs, to be drawn as Markdown or on a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval_leaderboard.evaluation.metrics.measure import PER_QUERY
from retrieval_leaderboard.evaluation.reports import propagation, unweighted
from retrieval_leaderboard.evaluation.reports.board import Board, Row, contenders
from retrieval_leaderboard.evaluation.reports.labels import differences, labels
from retrieval_leaderboard.support import markdown as tables

SHOWN = {name: metric.title for name, metric in PER_QUERY.items() if metric.on_board}
"""Metric with a column → how it is called"""
FEWER = "†"
SHIPPED_ROWS = "Shipped: a run that came with the project, made by its authors on the machine that is named."
BRACKETS = "Labels show the smallest set of settings that distinguishes a model's rows; full settings below."
ELSEWHERE = "machine: of the costs; in brackets those of other seeds, whose costs are left out."
BEST = (
    "CLI overrides are never marked as the best: they may have been picked after a look at the test results."
)
MORE = "+n: n more differ."
Costs = dict[str, tuple[str, str]]
COSTS: Costs = {
    "fit s": ("fit_seconds", "{:,.1f}"),
    "rank s": ("recommend_seconds", "{:,.2f}"),
    "queries/s": ("queries_per_second", "{:,.0f}"),
    "peak MiB": ("peak_rss_mib", "{:,.0f}"),
    "peak GPU MiB": ("peak_gpu_mib", "{:,.0f}"),
    "parameters": ("parameters", "{:,.0f}"),
}
NONE = "–"


@dataclass(frozen=True)
class Line:
    """A row as text."""

    label: str
    cells: dict[str, str]
    """Column → text"""
    best: frozenset[str] = frozenset()
    """Columns in which no row is better"""
    reason: str = ""
    """Why all its runs failed; "" where one did not"""


@dataclass(frozen=True)
class MainTable:
    """The table as text, drawn by nobody yet."""

    columns: list[str]
    """Without that of the labels"""
    lines: list[Line]
    """The best NDCG first"""
    footnotes: list[str]
    labeled: str = "model"
    """What the column of the labels is called"""


def main_table(board: Board) -> MainTable:
    """The rows of `board`; the memory of a GPU has a column where a run used one."""
    rows = sorted(board.rows, key=lambda row: -row.mean("ndcg"))
    on_gpu = any(record.costs.peak_gpu_mib for row in rows for record in row.done)
    costs = [label for label in COSTS if on_gpu or label != "peak GPU MiB"]
    columns = [*(metric_column(name, board.k) for name in SHOWN), "tuning", *costs, "machine"]
    able = contenders(rows)
    best = {name: max((row.mean(name) for row in able), default=0.0) for name in SHOWN}
    most, machines = max(row.provenance.trials for row in rows), board.machines
    texts = [{"tuning": _tuned(row, most), "machine": _numbers(row, machines)} for row in rows]
    named = labels(rows)
    lines = [
        _line(row, label, best if row in able else {}, board.k, dict.fromkeys(columns, NONE) | cells)
        for row, label, cells in zip(rows, named, texts, strict=True)
    ]
    return MainTable(columns, lines, _footnotes(rows, named, most))


def metric_column(name: str, k: int) -> str:
    """What the column of a key of SHOWN is called."""
    return f"{SHOWN[name]}@{k}"


def markdown(board: Board) -> str:
    """The main table, the best metrics in bold, failed runs with their reason; then what belongs under it."""
    table = main_table(board)
    body = [[_with_reason(line), *(_bold(line, column) for column in table.columns)] for line in table.lines]
    text = tables.table(body, [table.labeled, *table.columns], numbers=range(1, len(table.columns) + 1))
    listed = "".join(f"- **{label}**: {text}\n" for label, text in differences(board.rows).items())
    return "\n\n".join([text, *table.footnotes, *filter(None, [listed.rstrip()])]) + "\n"


def _with_reason(line: Line) -> str:
    return f"{line.label} (failed: {line.reason})".replace("|", "\\|") if line.reason else line.label


def _bold(line: Line, column: str) -> str:
    number, space, spread = line.cells[column].partition(" ")
    return f"**{number}**{space}{spread}" if column in line.best else number + space + spread


def _line(row: Row, label: str, best: dict[str, float], k: int, cells: dict[str, str]) -> Line:
    """`best` are the metrics to be called best from which on; {} for a row that may not be."""
    if not row.done:
        return Line(label, cells, reason=failure(row))
    failed = f" ({len(row.failed)} of {len(row.done) + len(row.failed)} seeds failed)" if row.failed else ""
    cells |= {metric_column(name, k): _metric(row, name) for name in SHOWN}
    cells |= {column: _cost(row, *cost) for column, cost in COSTS.items() if column in cells}
    leads = [
        metric_column(name, k) for name, value in best.items() if row.mean(name) >= value > float("-inf")
    ]
    return Line(label + failed, cells, frozenset(leads))


def failure(row: Row) -> str:
    """The reason of the first of its runs that failed, in one line."""
    return " ".join(row.failed[0].reason.split())


def _metric(row: Row, name: str) -> str:
    if not row.values(name):
        return NONE
    spread = row.spread(name)
    return f"{row.mean(name):.4f}" + ("" if spread is None else f" ± {spread:.4f}")


def _cost(row: Row, name: str, form: str) -> str:
    """The mean of a cost; a dash for parameters that a model does not report."""
    known = row.machine and all(getattr(record.costs, name) is not None for record in row.timed)
    return form.format(row.cost(name)) if known else NONE


def _numbers(row: Row, machines: list[str]) -> str:
    """Which of `machines`, counted from 1, the row's costs are of, in brackets those of its other runs; a
    dash without one.
    """
    if not row.machine:
        return NONE
    used = {record.costs.machine for record in row.done} - {row.machine}
    others = [str(number) for number, machine in enumerate(machines, start=1) if machine in used]
    return str(machines.index(row.machine) + 1) + (f" ({', '.join(others)})" if others else "")


def _tuned(row: Row, most: int) -> str:
    return row.provenance.brief + (f" {FEWER}" if row.provenance.trials < most else "")


def _footnotes(rows: list[Row], named: list[str], most: int) -> list[str]:
    notes = [SHIPPED_ROWS] if any(row.shipped for row in rows) else []
    if any("(" in label for label in named):
        notes.append(f"{BRACKETS} {MORE}" if differences(rows) else BRACKETS)
    if 0 < len(contenders(rows)) < sum(bool(row.done) for row in rows):
        notes.append(BEST)
    if any(len(row.timed) < len(row.done) for row in rows):
        notes.append(ELSEWHERE)
    if any(row.provenance.trials < most for row in rows):
        largest = max((row.provenance for row in rows), key=lambda each: each.trials).counted
        notes.append(f"{FEWER} smaller tuning budget than the best-tuned row ({largest}).")
    return notes + propagation.footnotes(rows, named) + unweighted.footnotes(rows)
