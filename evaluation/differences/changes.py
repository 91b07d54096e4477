"""Which rows of two sides belong together, and in what they differ."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from retrieval_leaderboard.evaluation.differences import intervals
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.labels import Settings, labels
from retrieval_leaderboard.evaluation.statistics.standing import Interval

COMPARED = ("ndcg", "recall")
"""Metrics that are shown"""
ROUNDING = 1e-9
"""Up to which two means are the same"""
COSTS = {"fit": "fit_seconds", "rank": "recommend_seconds"}


@dataclass(frozen=True, eq=False)
class Sided:
    """A row with results, on its board."""

    board: Board
    row: Row
    label: str

    @property
    def place(self) -> tuple[Hashable, ...]:
        """What a row has in common with the same row of other content."""
        return self.board.heading, self.board.split_seed, self.row.model


@dataclass(frozen=True)
class Change:
    """A row before and after; None on the side that has none."""

    before: Sided | None
    after: Sided | None

    @property
    def either(self) -> Sided:
        """The row after, where there is one."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def pair(self) -> tuple[Row, Row] | None:
        """Both rows; None where one is missing."""
        return (self.before.row, self.after.row) if self.before and self.after else None

    @property
    def has_other_data(self) -> bool:
        """Whether the fingerprint changed."""
        return bool(
            self.before and self.after and self.before.board.fingerprint != self.after.board.fingerprint
        )

    @property
    def settings(self) -> dict[str, tuple[Any, Any]]:
        """Setting → its values before and after, of those that changed."""
        return changed(*(row.settings for row in self.pair)) if self.pair else {}

    @property
    def metrics(self) -> list[str]:
        """The names of those that both sides have and that changed."""
        if self.pair is None:
            return []
        before, after = self.pair
        shared = set(before.done[0].measured.metrics) & set(after.done[0].measured.metrics)
        return sorted(name for name in shared if abs(before.mean(name) - after.mean(name)) > ROUNDING)

    @property
    def in_metrics(self) -> bool:
        """Whether a row appeared or vanished, or a metric that both sides have changed."""
        return self.pair is None or bool(self.metrics)

    def difference(self, metric: str) -> Interval | None:
        """After minus before; None where one has not the metric, or nothing says how sure it is."""
        if self.pair is None or not all(row.values(metric) for row in self.pair):
            return None
        return intervals.difference(*self.pair, metric, paired=not self.has_other_data)

    @property
    def costs(self) -> dict[str, tuple[float, float]]:
        """Cost of COSTS → seconds before and after; {} where two machines measured them."""
        if self.pair is None or not self.pair[0].machine or self.pair[0].machine != self.pair[1].machine:
            return {}
        return {name: (self.pair[0].cost(field), self.pair[1].cost(field)) for name, field in COSTS.items()}


def between(before: Sequence[Board], after: Sequence[Board]) -> list[Change]:
    """Every row of both sides once, by board; rows of one board best first.

    Rows of a model belong together where least differs: first the data, then the number of settings.
    """
    old, new = _rows(before), _rows(after)
    found: list[Change] = []
    for one, other in sorted(_candidates(old, new), key=lambda pair: _distance(*pair)):
        if one in old and other in new:
            found.append(Change(one, other))
            old.remove(one)
            new.remove(other)
    found += [Change(each, None) for each in old] + [Change(None, each) for each in new]
    return sorted(found, key=_order)


def _order(change: Change) -> tuple[str, int, float]:
    board = change.either.board
    return board.heading, board.split_seed, -change.either.row.mean(COMPARED[0])


def _rows(boards: Sequence[Board]) -> list[Sided]:
    return [
        Sided(board, row, label)
        for board in boards
        for row, label in zip(board.rows, labels(board.rows), strict=True)
        if row.done
    ]


def _candidates(old: list[Sided], new: list[Sided]) -> list[tuple[Sided, Sided]]:
    """Pairs of rows of the same model on boards of the same heading."""
    return [(one, other) for one in old for other in new if one.place == other.place]


def _distance(one: Sided, other: Sided) -> tuple[bool, int, float]:
    settings = changed(one.row.settings, other.row.settings)
    away = abs(one.row.mean(COMPARED[0]) - other.row.mean(COMPARED[0]))
    return one.board.fingerprint != other.board.fingerprint, len(settings), away


def changed(before: Settings, after: Settings) -> dict[str, tuple[Any, Any]]:
    """Setting → its values before and after, of those that differ."""
    keys = dict.fromkeys((*before, *after))
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}
