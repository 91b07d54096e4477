"""The slices of a board's runs as a table: what each model is worth on parts of the queries and the truth."""

from __future__ import annotations

from retrieval_leaderboard.evaluation.metrics.slices import COLD_ITEMS, COLD_USERS, Slice
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.runs.record import Result
from retrieval_leaderboard.support import markdown

NONE = "–"
BY_ID_ALONE = (
    f"{NONE} for {COLD_ITEMS}: the model knows items by their id alone and cannot return an item without "
    "training interactions"
)
NOTHING_RETURNED = (
    f"{NONE} for {COLD_USERS}, or another slice: the model returned nothing to any of these queries; models "
    "that know a user by the history alone return nothing without one"
)

Slices = dict[str, Slice]
"""By name"""


def slice_table(rows: list[Row], labels: list[str], k: int) -> str:
    """Recall and NDCG of each slice that a finished run of `rows` has; a dash where a run has no figure.

    Slices are matched by name, so runs of versions with other slices share a table.

    Args:
        rows: those of a board.
        labels: how to call each of them.
        k: length of the lists.
    """
    if not any(row.done for row in rows):
        return "No finished run.\n"
    named = [(label, row) for label, row in zip(labels, rows, strict=True) if row.done]
    named.sort(key=lambda pair: -pair[1].mean("ndcg"))
    runs = [[(_by_name(record.measured), record.measured) for record in row.done] for _, row in named]
    known = [slices for of_row in runs for slices, _ in of_row]
    chance = _random_recalls(known)
    body, footnotes = [], dict[str, None]()
    for name, queries in _queries(known).items():
        cells = [_cell(name, of_row) for of_row in runs]
        body.append([name, f"{queries:,}", *([chance.get(name, NONE)] if chance else [])])
        body[-1] += [text for text, _ in cells]
        footnotes |= dict.fromkeys(note for _, note in cells if note)
    header = ["slice", "queries", *(["random"] if chance else []), *(label for label, _ in named)]
    caption = f"Recall@{k} / NDCG@{k}; head: the most popular 20 % of the items with training interactions"
    caption += "; random: Recall of a ranking by chance.\n\n" if chance else ".\n\n"
    table = markdown.table(body, header, numbers=range(1, len(header)))
    return f"{caption}{table}\n" + "".join(f"\n{note}.\n" for note in footnotes)


def _by_name(result: Result) -> Slices:
    return {part.slice: part for part in result.slices}


def _queries(known: list[Slices]) -> dict[str, int]:
    """Slice → its queries, in the order of the run that has most slices."""
    together: dict[str, int] = {}
    for slices in sorted(known, key=len, reverse=True):
        for name, part in slices.items():
            together.setdefault(name, part.queries)
    return together


def _random_recalls(known: list[Slices]) -> dict[str, str]:
    return {
        name: f"{part.random_recall:.6f}"
        for slices in known
        for name, part in slices.items()
        if part.random_recall is not None
    }


def _cell(name: str, runs: list[tuple[Slices, Result]]) -> tuple[str, str]:
    """Means over the runs of a row that have figures for the slice, and "", or a dash and its footnote."""
    found = [(slices[name], result) for slices, result in runs if name in slices and slices[name].queries]
    parts = [part for part, _ in found]
    if not parts:
        return NONE, ""
    if name == COLD_ITEMS and not any(_reaches_cold_items(part, result) for part, result in found):
        return NONE, BY_ID_ALONE
    if all(part.listed == 0 for part in parts):
        return NONE, NOTHING_RETURNED
    recall, ndcg = (sum(part.metrics[name] for part in parts) / len(parts) for name in ("recall", "ndcg"))
    return f"{recall:.4f} / {ndcg:.4f}", ""


def _reaches_cold_items(part: Slice, result: Result) -> bool:
    """What the model says of itself, or a hit, which says it whatever the model does."""
    return result.reaches_cold_items or part.metrics["recall"] > 0
