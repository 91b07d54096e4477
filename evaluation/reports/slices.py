"""Which runs of a row count for a slice of the queries: one rule for every page."""

from __future__ import annotations

from collections.abc import Iterable

from retrieval_leaderboard.evaluation.metrics.slices import COLD_ITEMS, COLD_USERS, Slice
from retrieval_leaderboard.evaluation.runs.record import Result

NONE = "–"
BY_ID_ALONE = (
    f"{NONE} for {COLD_ITEMS}: the model knows items by their id alone and cannot return an item without "
    "training interactions."
)
NOTHING_RETURNED = (
    f"{NONE} for {COLD_USERS}, or another slice: the model returned nothing to any of these queries, as "
    "models may that know a user by the history alone, and item-to-item models of earlier versions did."
)


def counted(name: str, runs: Iterable[tuple[Slice, Result]]) -> tuple[list[Slice], str]:
    """The figures of the slice `name` to be averaged, of the runs of a row that have it, and "".

    Returns:
        [] where there is nothing to say, with a footnote that says why; "" for a slice without queries.
    """
    found = [(part, result) for part, result in runs if part.queries]
    if found and name == COLD_ITEMS and not any(_reaches_cold_items(*each) for each in found):
        return [], BY_ID_ALONE
    if found and all(part.listed == 0 for part, _ in found):
        return [], NOTHING_RETURNED
    return [part for part, _ in found], ""


def _reaches_cold_items(part: Slice, result: Result) -> bool:
    """What the model says of itself, or a hit, which says it whatever the model does."""
    return result.reaches_cold_items or part.metrics["recall"] > 0
