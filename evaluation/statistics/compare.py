"""How sure a board is: intervals, leads, tests and ranks of its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retrieval_leaderboard.evaluation.reports.board import RANKED_BY, Board, Row, originals, reference
from retrieval_leaderboard.evaluation.statistics import bootstrap, paired, queries
from retrieval_leaderboard.evaluation.statistics.bootstrap import Floats
from retrieval_leaderboard.evaluation.statistics.queries import PerQuery
from retrieval_leaderboard.evaluation.statistics.standing import BoardStatistics, Standing

REPEATED = "="
"""The rank of a row that repeats another's settings: it is counted once, there"""


@dataclass(frozen=True)
class _Known:
    """A row whose queries' metrics are stored."""

    index: int
    """In the board"""
    row: Row
    values: PerQuery

    @property
    def mean(self) -> float:
        return self.row.mean(RANKED_BY)


def compare(board: Board) -> BoardStatistics:
    """Statistics of every row with stored metrics of its queries, as docs/metrics.md defines them.

    Ranks count the rows of one table: those that a procedure common to all models led to, or the others.
    """
    known = [
        _Known(index, row, values)
        for index, row in enumerate(board.rows)
        if row.done and (values := queries.read(row)) is not None and RANKED_BY in values
    ]
    standings: list[Standing | None] = [None] * len(board.rows)
    p_values = np.full((len(board.rows), len(board.rows)), np.nan)
    if not known:
        return BoardStatistics(None, standings, p_values)
    known = _without_unknown_queries(known)
    official = np.array([each.row.provenance.official for each in known], dtype=np.bool_)
    first = np.array(originals([each.row for each in known]))
    corrected = _corrected(known, official, first)
    beside = reference([each.row for each in known])
    spreads, ranks = _deviations(known), _ranks(known, corrected, official, first)
    for place, (each, spread, rank) in enumerate(zip(known, spreads, ranks, strict=True)):
        metrics = {name: bootstrap.interval(each.row.mean(name), spread[name]) for name in spread}
        lead, p = None, None
        if beside is not None and place != beside:
            difference = spread[RANKED_BY] - spreads[beside][RANKED_BY]
            lead = bootstrap.interval(each.mean - known[beside].mean, difference)
            p = None if np.isnan(corrected[place, beside]) else float(corrected[place, beside])
        standings[each.index] = Standing(rank, metrics, lead, p)
    at = [each.index for each in known]
    p_values[np.ix_(at, at)] = corrected
    return BoardStatistics(None if beside is None else known[beside].index, standings, p_values)


def _without_unknown_queries(known: list[_Known]) -> list[_Known]:
    """The rows with the metrics of the queries that have a relevant item; they are the same in all rows."""
    kept = ~np.isnan(known[0].values[RANKED_BY])
    return [
        _Known(each.index, each.row, {name: column[kept] for name, column in each.values.items()})
        for each in known
    ]


def _deviations(known: list[_Known]) -> list[dict[str, Floats]]:
    """For each row, metric → float64[draws] bootstrapped means minus the mean."""
    names = [(place, name) for place, each in enumerate(known) for name in each.values]
    drawn = bootstrap.query_part([known[place].values[name] for place, name in names])
    found: list[dict[str, Floats]] = [{} for _ in known]
    for column, (place, name) in enumerate(names):
        row = known[place].row
        found[place][name] = drawn[:, column] + bootstrap.seed_part(row.values(name), row.newest.row_stem)
    return found


def _tests(known: list[_Known]) -> Floats:
    """float64[r, r]: p of every pair, uncorrected; 1 where there are too few queries for a test."""
    columns = [each.values[RANKED_BY] for each in known]
    if len(columns[0]) < 2:
        return np.ones((len(known), len(known)))
    # Of what is stored, which is rounded: by the means of the records, rows whose stored queries are the same
    # would differ without any variance.
    means = bootstrap.means(columns)
    covariances = paired.covariance(columns, means)
    seeds = [(each.row.spread(RANKED_BY) or 0.0, len(each.row.done)) for each in known]
    return paired.p_values(means, covariances, len(columns[0]), seeds)


def _corrected(known: list[_Known], official: np.ndarray, first: np.ndarray) -> Floats:
    """float64[r, r]: p of every pair; a row that repeats another has its p, and none against it."""
    counted = np.unique(first)
    found = np.full((len(known), len(known)), np.nan)
    tested = paired.holm_pairs(_tests([known[place] for place in counted]), official[counted])
    found[np.ix_(counted, counted)] = tested
    found = found[np.ix_(first, first)]
    repeats = first[:, None] == first
    found[repeats & ~np.eye(len(known), dtype=np.bool_)] = np.nan
    return found


def _ranks(known: list[_Known], corrected: Floats, official: np.ndarray, first: np.ndarray) -> list[str]:
    """Each row's rank within its table, among those that repeat none."""
    found = [REPEATED] * len(known)
    means, own = np.array([each.mean for each in known]), first == np.arange(len(known))
    for table in (np.flatnonzero(official & own), np.flatnonzero(~official & own)):
        for row, rank in zip(table, paired.ranks(means[table], corrected[np.ix_(table, table)]), strict=True):
            found[row] = rank
    return found
