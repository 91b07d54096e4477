"""The slices of a board's runs as tables: what each model is worth on parts of the queries and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from retrieval_leaderboard.evaluation.metrics.slices import Slice
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.report import Entry
from retrieval_leaderboard.evaluation.reports.slices import NONE, counted
from retrieval_leaderboard.evaluation.runs.record import Result
from retrieval_leaderboard.support import markdown

TITLES = {"ndcg": "NDCG", "recall": "Recall"}
QUERIES, CHANCE = "queries", "a random ranking"
HEAD = "head: the most popular 20 % of the items with training interactions."

Slices = dict[str, Slice]
"""By name"""


def slice_tables(entries: Sequence[Entry], k: int) -> str:
    """NDCG and Recall of each slice with queries; a dash where a row has no figure.

    Slices are matched by name, so runs of versions with other slices share a table.

    Args:
        entries: those of a board, the best first.
        k: length of the lists.
    """
    done = [entry for entry in entries if entry.row.done]
    if not done:
        return "No finished run.\n"
    runs = {entry.name: _runs(entry.row) for entry in done}
    known = [slices for of_row in runs.values() for slices, _ in of_row]
    queries = {name: count for name, count in _queries(known).items() if count}
    if not queries:
        return "No slice has a query.\n"
    footnotes = dict.fromkeys([HEAD])
    parts = []
    for metric, title in TITLES.items():
        body = [[QUERIES, *(f"{count:,}" for count in queries.values())]]
        for name, of_row in runs.items():
            found = [_cell(each, of_row, metric) for each in queries]
            body.append([name, *(text for text, _ in found)])
            footnotes |= dict.fromkeys(note for _, note in found if note)
        if metric == "recall" and (chance := _random_recalls(known)):
            body.append([CHANCE, *(chance.get(each, NONE) for each in queries)])
        header = [f"{title}@{k}", *queries]
        parts.append(markdown.table(body, header, numbers=range(1, len(header))))
    return "\n\n".join([*parts, *footnotes]) + "\n"


def _runs(row: Row) -> list[tuple[Slices, Result]]:
    return [(_by_name(record.measured), record.measured) for record in row.done]


def _by_name(result: Result) -> Slices:
    return {part.slice: part for part in result.slices}


def _queries(known: list[Slices]) -> dict[str, int]:
    """Slice → its queries, in the order of the run that has most slices."""
    together: dict[str, int] = {}
    for slices in sorted(known, key=len, reverse=True):
        for name, part in slices.items():
            together.setdefault(name, part.queries)
    return together


def _random_recalls(known: list[Slices]) -> dict[str, str]:
    return {
        name: f"{part.random_recall:.2g}"
        for slices in known
        for name, part in slices.items()
        if part.random_recall is not None
    }


def _cell(name: str, runs: list[tuple[Slices, Result]], metric: str) -> tuple[str, str]:
    """The mean over the runs of a row that have figures for the slice, and "", or a dash and its footnote."""
    parts, note = counted(name, [(slices[name], result) for slices, result in runs if name in slices])
    return (f"{mean(part.metrics[metric] for part in parts):.4f}", "") if parts else (NONE, note)
