"""A board's section on published numbers: like beside like, a table a class."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval_leaderboard.evaluation.reports import comparability, references
from retrieval_leaderboard.evaluation.reports.propagation import propagates
from retrieval_leaderboard.evaluation.reports.references import MEASURES, Reference
from retrieval_leaderboard.evaluation.reports.report import Entry, Report
from retrieval_leaderboard.evaluation.runs.provenance import DEFAULTS
from retrieval_leaderboard.support import markdown

CAPTION = (
    "Rows of this board are bold. Numbers that were chosen on the test set are optimistically biased; "
    "docs/metrics.md tells of the looks at test parts here. Towers make a user's vector of the history; "
    "matrix factorization (MF) learns one for each user. Towers that add the vectors of an item's neighbors "
    "propagate one step over the graph of items and stand beside graph models."
)
Line = tuple[float, list[str]]
"""NDCG and the cells of a row"""


def section(report: Report) -> str:
    """The published numbers of a board's task with its rows among them; "" where nothing is published."""
    known = references.of_task(report.board)
    if not known:
        return ""
    sources = list(dict.fromkeys(reference.source for reference in known))
    tables = {each: [*_theirs(known, each, sources), *_ours(report, each)] for each in comparability.CLASSES}
    parts = [f"### {each}\n\n{_table(report, lines)}\n" for each, lines in tables.items() if lines]
    numbered = (f"[{number}] {source}" for number, source in enumerate(sources, start=1))
    return "\n".join(["## Beside published numbers\n", f"{CAPTION}\n", *parts, "  \n".join(numbered) + "\n"])


def _theirs(known: Sequence[Reference], table: str, sources: list[str]) -> list[Line]:
    return [
        (
            each.ndcg,
            [
                each.name,
                *(f"{getattr(each, name):.4f}" for name in MEASURES),
                _dimension(each.facts.dimension),
                each.chosen_on,
                f"[{sources.index(each.source) + 1}]" + (f" {each.also}" if each.also else ""),
            ],
        )
        for each in known
        if each.facts.table == table
    ]


def _ours(report: Report, table: str) -> list[Line]:
    """The rows of a class; none that repeats another, or may have been picked by its test results."""
    return [
        (entry.ndcg, _cells(entry, facts))
        for entry in report.done
        if not entry.repeats
        and not entry.row.provenance.by_command
        and (facts := _facts(entry)) is not None
        and facts.table == table
    ]


def _facts(entry: Entry) -> comparability.Facts | None:
    row = entry.row
    return comparability.facts(row.model, row.plain_settings, propagates(row))


def _cells(entry: Entry, facts: comparability.Facts) -> list[str]:
    measured = (f"**{entry.row.mean(name):.4f}**" for name in MEASURES)
    how = f"[{entry.row.provenance.brief}](#{entry.anchor})"
    if entry.row.settings_with_effect.get("features") is True:
        how += ", item features"
    return [f"**{entry.name}**", *measured, _dimension(facts.dimension), _chosen_on(entry), how]


def _chosen_on(entry: Entry) -> str:
    made = entry.row.provenance
    if made.by == DEFAULTS.by:
        return "nothing (defaults)"
    return "validation" if made.official or made.trials else "unstated"


def _dimension(size: int | None) -> str:
    return str(size) if size else "–"


def _table(report: Report, lines: list[Line]) -> str:
    k = report.board.k
    header = ["model", f"Recall@{k}", f"NDCG@{k}", "dimensions", "chosen on", "source or settings"]
    ordered = sorted(lines, key=lambda line: -line[0])
    return markdown.table([cells for _, cells in ordered], header, numbers=(1, 2, 3))
