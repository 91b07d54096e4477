"""Recall and NDCG of the first so many items of the same lists, for runs that were asked for several k."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.support import markdown

SHOWN = {"recall": "Recall", "ndcg": "NDCG"}
NONE = "–"


def other_lengths(rows: Sequence[Row]) -> list[int]:
    """Every k but the board's that a run of `rows` has metrics of, ascending."""
    return sorted({int(k) for row in rows for record in row.done for k in record.measured.at})


def section(rows: Sequence[Row], named: Sequence[str], k: int) -> str:
    """A heading and a table, the best NDCG at the board's `k` first; "" where no run has another k.

    Args:
        rows: those of a board.
        named: how to call each of them.
        k: the board's.
    """
    lengths = sorted([k, *other_lengths(rows)])
    if len(lengths) < 2:
        return ""
    ordered = sorted(zip(rows, named, strict=True), key=lambda pair: -pair[0].mean("ndcg"))
    header = ["model", *(f"{title}@{length}" for title in SHOWN.values() for length in lengths)]
    body = [
        [label, *(_cell(row, name, length, k) for name in SHOWN for length in lengths)]
        for row, label in ordered
        if row.done
    ]
    return f"## Other lengths of lists\n\n{markdown.table(body, header, numbers=range(1, len(header)))}\n"


def _cell(row: Row, name: str, k: int, of_board: int) -> str:
    """The mean over the row's runs; a dash where one lacks it."""
    measured = [record.measured for record in row.done]
    found = [(each.metrics if k == of_board else each.at.get(str(k), {})).get(name) for each in measured]
    values = [value for value in found if value is not None]
    return f"{mean(values):.4f}" if len(values) == len(found) else NONE
