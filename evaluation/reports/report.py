"""All that pages say of a board, put together once: its rows in order, names, statistics and costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan

from retrieval_leaderboard.evaluation.reports import costs, labels
from retrieval_leaderboard.evaluation.reports.board import Board, Row, originals, reference
from retrieval_leaderboard.evaluation.reports.costs import RowCosts
from retrieval_leaderboard.evaluation.statistics.compare import compare
from retrieval_leaderboard.evaluation.statistics.paired import LEVEL
from retrieval_leaderboard.evaluation.statistics.standing import BoardStatistics, Interval, Standing


@dataclass(frozen=True)
class Entry:
    """A row of a board and what is known of it."""

    row: Row
    name: str
    """Unique on the page"""
    standing: Standing | None
    """None without stored metrics of its queries"""
    costs: RowCosts
    repeats: str = ""
    """Name of the row whose resolved settings it has too"""

    @property
    def anchor(self) -> str:
        """Where the page has its settings."""
        return anchor(self.name)

    @property
    def brief(self) -> str:
        """How its settings came about, in a few words, and whose they are too."""
        return self.row.provenance.brief + (f", as {self.repeats}" if self.repeats else "")

    @property
    def official(self) -> bool:
        """Whether it stands in the first table."""
        return self.row.provenance.official

    @property
    def ndcg(self) -> float:
        """Below any number where no run has it."""
        return self.row.mean("ndcg")

    @property
    def interval(self) -> Interval | None:
        """Of its NDCG."""
        return self.standing.metrics.get("ndcg") if self.standing else None

    @property
    def lead(self) -> Interval | None:
        """Its NDCG minus that of the reference, on the same queries."""
        return self.standing.lead if self.standing else None

    @property
    def differs(self) -> bool:
        """Whether a test found that it differs from the reference."""
        return self.standing is not None and self.standing.p is not None and self.standing.p < LEVEL


def anchor(name: str) -> str:
    """Where a page has the settings of the row of that name."""
    signed = re.sub(r"(?<!\w)-(?=[\d.])", "minus ", name.lower())
    return re.sub(r"[^\w]+", "-", signed).strip("-")


@dataclass(frozen=True)
class Report:
    """A board, the rows with the best NDCG first."""

    board: Board
    entries: Sequence[Entry]
    machine: str
    """What the costs were measured on"""
    reference: Entry | None
    """The row of ItemCF that others are compared with"""
    p_values: dict[tuple[str, str], float] = field(default_factory=dict)
    """Names of two rows → p of the test whether they differ, where there was one"""

    @property
    def official(self) -> list[Entry]:
        """The rows that one procedure for all models led to."""
        return [entry for entry in self.entries if entry.official]

    @property
    def explored(self) -> list[Entry]:
        """The others."""
        return [entry for entry in self.entries if not entry.official]

    @property
    def done(self) -> list[Entry]:
        """The rows with results."""
        return [entry for entry in self.entries if entry.row.done]

    def within_noise(self, one: Entry, other: Entry) -> bool:
        """Whether a test found no difference between two rows."""
        return self.p_values.get((one.name, other.name), 0.0) >= LEVEL


def report(board: Board, statistics: BoardStatistics | None = None) -> Report:
    """What pages say of `board`; `statistics` are computed where none are given."""
    statistics = statistics or compare(board)
    measured = costs.costs_of(board.rows)
    order = sorted(range(len(board.rows)), key=lambda at: -board.rows[at].mean("ndcg"))
    rows = [board.rows[at] for at in order]
    names = labels.names(rows)
    entries = [
        Entry(row, name, statistics.standings[at], measured.of(row), "" if first == place else names[first])
        for place, (at, row, name, first) in enumerate(zip(order, rows, names, originals(rows), strict=True))
    ]
    at = reference(board.rows) if statistics.reference is None else statistics.reference
    found = None if at is None else entries[order.index(at)]
    return Report(board, entries, measured.machine, found, _p_values(statistics, entries, order))


def _p_values(
    statistics: BoardStatistics, entries: Sequence[Entry], order: Sequence[int]
) -> dict[tuple[str, str], float]:
    known = {
        (one.name, other.name): float(statistics.p_values[at, beside])
        for one, at in zip(entries, order, strict=True)
        for other, beside in zip(entries, order, strict=True)
        if one is not other
    }
    return {pair: p for pair, p in known.items() if not isnan(p)}
