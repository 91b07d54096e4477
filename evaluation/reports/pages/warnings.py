"""What a reader of a board should doubt or know, in short sentences."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval_leaderboard.datasets.splits.order import SOURCE
from retrieval_leaderboard.evaluation.reports import propagation, unweighted
from retrieval_leaderboard.evaluation.reports.main_table import failure
from retrieval_leaderboard.evaluation.reports.report import Report
from retrieval_leaderboard.evaluation.runs.provenance import duration

ABOVE = 1.01
"""Of Global Hot's NDCG, from which on a row is above it: towers that learned nothing rank as it does"""
SHIPPED = "Shipped: a run that came with the project, made by its authors on a machine of theirs."

TIES_OF_SOURCE = (
    "Ties are in the source's order. Where that is not the order in which users acted, it favors models that "
    "learn from order (docs/order-of-ties.md): for users of your own, compare models with ties drawn."
)


def warnings(report: Report) -> list[str]:
    """Of models that popularity beats, of leads by few seeds, of times on a busy machine, of budgets that
    differ, of settings from other data, and how to be rid of a run that failed.
    """
    return [
        *_below_popularity(report),
        *_few_seeds(report),
        *_busy(report),
        *_budgets(report),
        *_other_data(report),
        *_failed(report),
    ]


def marks(report: Report) -> list[str]:
    """What the marks behind names mean, and what the board's split favors."""
    rows, names = [entry.row for entry in report.entries], [entry.name for entry in report.entries]
    shipped = [SHIPPED] if any(row.shipped for row in rows) else []
    ties = [TIES_OF_SOURCE] if report.board.dataset.ties == SOURCE else []
    return [
        *shipped,
        *ties,
        *propagation.footnotes(rows, names),
        *unweighted.footnotes(rows),
        *_processes(report),
    ]


def _processes(report: Report) -> Iterator[str]:
    """Which rows several processes trained: a fact of costs, for metrics are those of one."""
    for entry in report.done:
        ranks = max(record.costs.ranks for record in entry.row.done)
        if ranks > 1:
            yield (
                f"{entry.name}: trained by {ranks} processes together. Metrics are those of one process but "
                "for rounding; seconds and memory are of all of them and do not compare with those of one."
            )


def _below_popularity(report: Report) -> Iterator[str]:
    hot = [entry.ndcg for entry in report.done if entry.row.model == "global_hot"]
    for entry in report.done:
        if hot and entry.ndcg < min(ABOVE * hot[0], 1) and entry.row.model != "global_hot":
            yield (
                f"{entry.name}: NDCG@{report.board.k} not above Global Hot's; doubt it or its settings, "
                "unless the slices show why."
            )


def _few_seeds(report: Report) -> Iterator[str]:
    for entry in report.done:
        if entry.differs and entry.lead and entry.lead.low <= 0 <= entry.lead.high:
            yield (
                f"{entry.name}: the test finds a difference to ItemCF and the interval of the lead holds 0, "
                f"as with {len(entry.row.done)} seeds it may; believe the interval, or run more seeds."
            )


def _busy(report: Report) -> Iterator[str]:
    busy = ((entry.name, entry.costs.cores_elsewhere) for entry in report.done)
    if found := [f"{name} ({cores:.1f} cores)" for name, cores in busy if cores]:
        yield f"Fitted while other processes kept cores busy; alone they take less time: {', '.join(found)}."


def _budgets(report: Report) -> Iterator[str]:
    made = (entry.row.provenance for entry in report.official)
    caps = {each.cap_minutes for each in made if each.by == "budget" and each.cap_minutes is not None}
    if len(caps) > 1:
        yield f"Budgets differ: {', '.join(map(duration, sorted(caps)))}."


def _other_data(report: Report) -> Iterator[str]:
    if found := [entry.name for entry in report.entries if entry.row.provenance.other_data]:
        yield f"Tuned on other data than this: {', '.join(found)}."


def _failed(report: Report) -> Iterator[str]:
    for entry in report.entries:
        row = entry.row
        if row.failed and not row.shipped:
            folders = ", ".join(f"runs/{record.stem}" for record in row.failed)
            yield (
                f"{entry.name} failed ({failure(row)}): run it again, or delete {folders} beside this board, "
                "and the next command on the dataset leaves it out."
            )
