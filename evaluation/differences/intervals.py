"""How sure the difference of two rows is."""

from __future__ import annotations

from math import sqrt
from statistics import variance

import numpy as np

from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.statistics import bootstrap, queries
from retrieval_leaderboard.evaluation.statistics.bootstrap import CONFIDENCE, Floats
from retrieval_leaderboard.evaluation.statistics.standing import Interval


def difference(before: Row, after: Row, metric: str, paired: bool) -> Interval | None:
    """`after` minus `before`, with a 95 % interval; None where nothing says how sure it is.

    Args:
        before: a row with the metric.
        after: another.
        metric: its name.
        paired: whether both answer the same queries.
    """
    return of_queries(before, after, metric, paired) or of_seeds(before, after, metric)


def of_queries(before: Row, after: Row, metric: str, paired: bool) -> Interval | None:
    """By a bootstrap over queries and seeds; None where the metrics of a row's queries are not stored."""
    ours = _deviations(before, metric, "before", bootstrap.SEED)
    theirs = _deviations(after, metric, "after", bootstrap.SEED + (not paired))
    if ours is None or theirs is None:
        return None
    return bootstrap.interval(after.mean(metric) - before.mean(metric), theirs - ours)


def _deviations(row: Row, metric: str, side: str, seed: int) -> Floats | None:
    """float64[draws]: bootstrapped means minus the mean; with one `seed` of the same samples of queries."""
    stored = queries.read(row)
    if stored is None or metric not in stored:
        return None
    column = stored[metric]
    of_queries = bootstrap.query_part([column[~np.isnan(column)]], seed=seed)[:, 0]
    return of_queries + bootstrap.seed_part(row.values(metric), side)


def of_seeds(before: Row, after: Row, metric: str) -> Interval | None:
    """By the spread over seeds alone (Welch 1947); None where a row has fewer than two."""
    from scipy.special import stdtrit  # As in `paired`.

    ours, theirs = before.values(metric), after.values(metric)
    if min(len(ours), len(theirs)) < 2:
        return None
    parts = [variance(values) / len(values) for values in (ours, theirs)]
    change = after.mean(metric) - before.mean(metric)
    if not sum(parts):
        return Interval(change, change, change)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (ours, theirs), strict=True)
    )
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * sqrt(sum(parts))
    return Interval(change, change - half, change + half)
