"""How sure the difference of two rows is."""

from __future__ import annotations

from math import sqrt
from statistics import variance

from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.statistics.standing import Interval

CONFIDENCE = 0.95


def difference(before: Row, after: Row, metric: str, paired: bool) -> Interval | None:
    """`after` minus `before`, with a 95 % interval; None where nothing says how sure it is.

    Args:
        before: a row with the metric.
        after: another.
        metric: its name.
        paired: whether both answer the same queries.
    """
    return of_seeds(before, after, metric)


def of_seeds(before: Row, after: Row, metric: str) -> Interval | None:
    """By the spread over seeds alone (Welch 1947); None where a row has fewer than two."""
    from scipy.stats import t

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
    half = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * sqrt(sum(parts))
    return Interval(change, change - half, change + half)
