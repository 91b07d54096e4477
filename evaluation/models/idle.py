"""Settings that change nothing on the data of a board, by what its records say or what follows from them."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.labels import written
from retrieval_leaderboard.evaluation.reports.propagation import by_position


def told(row: Row) -> str:
    """The settings of `row` in one line, those without an effect apart."""
    idle = without_effect(row)
    used = written({key: value for key, value in row.settings.items() if key not in idle})
    apart = written({key: value for key, value in row.settings.items() if key in idle})
    return used + (f"; without effect here: {apart}" if apart else "")


def without_effect(row: Row) -> set[str]:
    """Settings of `row` that change nothing, as `Retriever.without_effect`."""
    stated = [set(record["without_effect"]) for record in row.done if "without_effect" in record]
    return set.intersection(*stated) if stated else _older(row)


def _older(row: Row) -> set[str]:
    """Of records that do not say it: the recency of our models without an order in time."""
    if row.newest["code"] or "recency" not in row.settings:
        return set()
    # The format of published splits has no order; two-towers use it for rows of positions alone.
    ordered = (
        by_position(row) if "examples" in row.settings else row.newest["dataset"]["protocol"] != "published"
    )
    return set() if ordered else {"recency"}
