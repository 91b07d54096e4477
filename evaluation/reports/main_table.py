"""A board's main tables, of official rows and of those explored further, for Markdown and terminals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval_leaderboard.evaluation.metrics.measure import PER_QUERY
from retrieval_leaderboard.evaluation.reports.board import Row, contenders
from retrieval_leaderboard.evaluation.reports.costs import FORMS, NONE, without_seconds
from retrieval_leaderboard.evaluation.reports.report import Entry, Report
from retrieval_leaderboard.evaluation.statistics.compare import REPEATED
from retrieval_leaderboard.support import markdown as tables

SHOWN = {name: metric.title for name, metric in PER_QUERY.items() if metric.on_board}
"""Metric of boards → how it is called"""
FIRST = ("ndcg", "recall")
"""The metrics of the main tables"""
RANK, INTERVAL, CHANGE, MADE = "rank", "95 % interval", "Δ to ItemCF", "settings"
DIFFERS = "*"
INTERVALS = "95 % interval: of a row's NDCG, by a bootstrap over queries and Student's t over seeds."
ONE_SEED = "One seed each, so their intervals leave out the variation between training runs: {}."
COST = (
    "Cost: seconds to fit and to rank. The fit that chooses the epochs on the validation part is included, "
    "where there is one; the search is not."
)
BEYOND_NOISE = f"{DIFFERS}: differs from ItemCF, p < 0.05."
RANKED = (
    "Rank: 1–3 where the order is within noise. Ranges are widened so that none begins before that of a "
    f"better row; whether a row differs from ItemCF is told by {DIFFERS} alone."
)
PAIRED = (
    "Marks and ranks come from paired tests on the same queries, which can tell apart rows whose intervals "
    "overlap. Holm's correction for the number of pairs is made for official rows and for all others apart."
)
COUNTED_ONCE = f"{REPEATED} as rank: the settings of another row, which is ranked."
UNTESTED = (
    "A row without an interval has no stored metrics of each query, and so no test; its table is in the "
    "order of the means, without ranks."
)
OVER_SEEDS = "±: one standard deviation over seeds, where there is no interval."


@dataclass(frozen=True)
class Line:
    """A row as text."""

    label: str
    cells: dict[str, str]
    """Column → text"""
    best: frozenset[str] = frozenset()
    """Columns in which no row is better"""
    failed: bool = False
    """Whether all its runs did"""
    anchor: str = ""
    """Where the page tells more of it"""


@dataclass(frozen=True)
class MainTable:
    """The table as text, drawn by nobody yet."""

    columns: list[str]
    """Without that of the labels"""
    lines: list[Line]
    """The best NDCG first"""
    labeled: str = "model"
    """What the column of the labels is called"""


def metric_column(name: str, k: int) -> str:
    """What the column of a key of SHOWN is called."""
    return f"{SHOWN[name]}@{k}"


def main_table(report: Report, entries: Sequence[Entry]) -> MainTable:
    """The rows of one of the two tables of `report`, without columns that would say nothing of any.

    Rows are ranked where all have stored metrics of each query: else a rank would be one among a few.
    """
    k = report.board.k
    ndcg, recall = (metric_column(name, k) for name in FIRST)
    columns = [RANK, ndcg, INTERVAL, recall, CHANGE, "fit s", "rank s", MADE]
    able = contenders([entry.row for entry in entries])
    best = {name: max((row.mean(name) for row in able), default=0.0) for name in FIRST}
    ranked = all(entry.standing for entry in entries if entry.row.done)
    lines = []
    for entry in entries:
        cells = dict.fromkeys(columns, NONE) | (
            {RANK: entry.standing.rank} if ranked and entry.standing else {}
        )
        lines.append(_line(report, entry, best if entry.row in able else {}, cells))
    empty = [each for each in (RANK, INTERVAL, CHANGE) if all(line.cells[each] == NONE for line in lines)]
    return MainTable([each for each in columns if each not in empty], lines)


def markdown(table: MainTable) -> str:
    """The best metrics in bold, settings as links."""
    ranks = [column for column in table.columns if column == RANK]
    others = [column for column in table.columns if column != RANK]
    body = [
        [*(line.cells[each] for each in ranks), line.label, *(_cell(line, each) for each in others)]
        for line in table.lines
    ]
    header = [*ranks, table.labeled, *others]
    return tables.table(body, header, numbers=range(len(ranks) + 1, len(header) - 1)) + "\n"


def failure(row: Row) -> str:
    """The reason of the first of its runs that failed, in one line."""
    return " ".join(row.failed[0].reason.split())


def _cell(line: Line, column: str) -> str:
    text = line.cells[column].replace("*", "\\*")
    if column == MADE and line.anchor:
        return f"[{text}](#{line.anchor})"
    return f"**{text}**" if column in line.best else text


def _line(report: Report, entry: Entry, best: dict[str, float], cells: dict[str, str]) -> Line:
    """`best` are the metrics to be called best from which on; {} for a row that may not be."""
    row = entry.row
    cells[MADE] = entry.brief
    if not row.done:
        return Line(f"{entry.name} (failed)", cells, failed=True, anchor=entry.anchor)
    failed = f" ({len(row.failed)} of {len(row.done) + len(row.failed)} seeds failed)" if row.failed else ""
    columns = {name: metric_column(name, report.board.k) for name in FIRST}
    cells |= {columns[name]: mean_cell(row, name) for name in FIRST}
    cells[INTERVAL] = interval_cell(entry)
    cells[CHANGE] = _change(report, entry)
    cells |= {column: entry.costs.cell(column) for column in FORMS if column in cells}
    leads = [columns[name] for name, value in best.items() if row.mean(name) >= value > float("-inf")]
    return Line(entry.name + failed, cells, frozenset(leads), anchor=entry.anchor)


def mean_cell(row: Row, name: str) -> str:
    """The mean of a metric over the runs of `row`."""
    return f"{row.mean(name):.4f}" if row.values(name) else NONE


def spread_cell(row: Row, name: str) -> str:
    """± the standard deviation of a metric over seeds; "" with fewer than two."""
    spread = row.spread(name)
    return "" if spread is None else f"± {spread:.4f}"


def interval_cell(entry: Entry) -> str:
    """The interval of its NDCG; what is known of the spread where there is none."""
    if entry.interval is None:
        return spread_cell(entry.row, "ndcg") or NONE
    return f"{entry.interval.low:z.4f}–{entry.interval.high:z.4f}"


def _change(report: Report, entry: Entry) -> str:
    reference = report.reference
    if reference is None or reference is entry or not reference.ndcg > 0 or not entry.row.values("ndcg"):
        return NONE
    return f"{entry.ndcg / reference.ndcg - 1:+.1%}" + (f" {DIFFERS}" if entry.differs else "")


def footnotes(tables: Sequence[Sequence[Entry]]) -> list[str]:
    """What the columns of these rows, table by table, need to be understood."""
    finished = [[entry for entry in entries if entry.row.done] for entries in tables]
    done = [entry for entries in finished for entry in entries]
    tested = [entry for entry in done if entry.standing]
    ranked = [entries for entries in finished if entries and all(entry.standing for entry in entries)]
    ranks = {entry.standing.rank for entries in ranked for entry in entries if entry.standing}
    single = [entry for entry in tested if entry.row.of_one_seed]
    differ = any(entry.differs for entry in tested)
    notes = (
        (INTERVALS, tested),
        (ONE_SEED.format(", ".join(entry.name for entry in single)), single),
        (BEYOND_NOISE, differ),
        (RANKED, any("–" in rank for rank in ranks)),
        (COUNTED_ONCE, REPEATED in ranks),
        (PAIRED, differ or any(len(entries) > 1 for entries in ranked)),
        (UNTESTED, len(tested) < len(done)),
        (OVER_SEEDS, any(e.standing is None and e.row.spread("ndcg") is not None for e in done)),
        (COST, any(entry.costs.seconds is not None for entry in done)),
    )
    missing = without_seconds(entry.costs for entry in done)
    return [note for note, shown in notes if shown] + ([missing] if missing else [])
