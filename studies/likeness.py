"""Which rows of ours a published number may stand beside, the fairest first, and in what the two differ."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval_leaderboard.evaluation.reports.board import Board, Row, contenders
from retrieval_leaderboard.evaluation.reports.comparability import Facts, facts
from retrieval_leaderboard.evaluation.reports.propagation import propagates
from retrieval_leaderboard.evaluation.reports.references import MEASURES, Reference, of_task

WITH_VECTORS = ("vectors", "graph")
COMPARED = ("dimension", "graph", "user", "features", "loss", "weights", "history")


@dataclass(frozen=True)
class Match:
    """A published row, and one of ours that may stand beside it."""

    reference: Reference
    row: Row
    differences: tuple[str, ...]
    """in a few words each; none where like is compared with like"""
    same_family: bool
    """whether both are of one kind, or of two that are compared; by `comparability.FAMILIES`"""
    same_dimension: bool
    """whether their vectors are of one size, or neither has any; without that a change says nothing"""
    same_method: bool
    """whether both are of one method over items, or neither of any"""

    @property
    def unlikeness(self) -> tuple[bool, bool, bool, int]:
        """The smaller, the fairer it is to compare the two."""
        return not self.same_family, not self.same_dimension, not self.same_method, len(self.differences)

    @property
    def changes(self) -> tuple[float, float]:
        """Of Recall and of NDCG, from theirs to ours, as shares."""
        recall, ndcg = (self.row.mean(name) / getattr(self.reference, name) - 1 for name in MEASURES)
        return recall, ndcg


def above(reference: Reference, rows: list[Row]) -> list[str]:
    """The measures in which no row of ours reaches it, but for those set for a run."""
    ours = contenders(rows)
    return [name for name in MEASURES if all(getattr(reference, name) > row.mean(name) for row in ours)]


def beside(board: Board) -> dict[Reference, list[Match]]:
    """Every number published of a board's task, with the rows that may stand beside it, the fairest first:
    of the same family, dimension and method, with the fewest differences, not set by hand for a run, with
    the most trials.
    """
    return {reference: _matches(reference, board) for reference in of_task(board)}


def _matches(reference: Reference, board: Board) -> list[Match]:
    theirs, found = reference.facts, []
    for row in board.rows:
        ours = facts(row.model, row.plain_settings, propagates(row)) if row.done else None
        asked = reference.beside in ("", row.model)
        if ours is not None and asked and comparable(ours, theirs):
            differ = (*differences(ours, theirs), *filter(None, [reference.also]))
            alike = (
                ours.family == theirs.family,
                ours.dimension == theirs.dimension,
                ours.method == theirs.method,
            )
            found.append(Match(reference, row, differ, *alike))
    return sorted(found, key=_unfairness)


def _unfairness(match: Match) -> tuple[bool, bool, bool, int, bool, int, float]:
    made = match.row.provenance
    return *match.unlikeness, made.by_command, -made.trials, -match.row.mean("ndcg")


def differences(ours: Facts, theirs: Facts) -> list[str]:
    """In what two rows differ, in a few words each, and what theirs does not state; empty for like rows."""
    if ours.method != theirs.method:
        return [f"method {ours.method}, theirs {theirs.method}"]
    stated, unstated = [], []
    for name in COMPARED:
        here, there = getattr(ours, name), getattr(theirs, name)
        if here != there and there is None:
            unstated.append(name)
        elif here != there:
            stated.append(f"{name} {here}, theirs {there or 'none'}")
    return stated + ([f"unstated: {', '.join(unstated)}"] if unstated else [])


def comparable(ours: Facts, theirs: Facts) -> bool:
    """Whether one may stand beside the other at all."""
    with_vectors = ours.family in WITH_VECTORS and theirs.family in WITH_VECTORS
    return with_vectors or ours.family == theirs.family
