"""The part of docs/findings.md on published numbers that are not reached: how far off, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks import drawing
from benchmarks.compared import compared
from evaluation import references
from evaluation.board import Board, Row
from evaluation.references import Reference

Shortfall = tuple[Board, Row, Reference]
WHY = {
    "ml-1m": "On ml-1m Global Hot has nothing to choose: the source breaks ties in another order and counts "
    "other test rows.",
}
"""Dataset → what the ablations and the curves say of the causes"""


def shortfalls(boards: list[Board]) -> list[Shortfall]:
    """Compared rows below a published Recall@20 or NDCG@20."""
    return [
        (board, row, reference)
        for board in boards
        for row, reference in references.beside(board)
        if any(row is each for each in compared(board)) and min(_changes(row, reference)) < 0
    ]


def section(found: list[Shortfall]) -> str:
    """The shortfalls as Markdown."""
    header = ["board", "model", "settings", "published as", "theirs chosen on", "Δ Recall@20", "Δ NDCG@20"]
    lines = [
        [board.heading, row.model, row.chosen.brief, reference.name, reference.chosen_on]
        + [f"{change:+.1%}" for change in _changes(row, reference)]
        for board, row, reference in found
    ]
    boards = {board.dataset["name"] for board, _, _ in found}
    why = [text for dataset, text in WHY.items() if dataset in boards]
    parts = ["## Published numbers that are not reached", tabulate(lines, header, tablefmt="pipe"), *why]
    if any(curve(row) for _, row, _ in found):
        told = "NDCG@20 on validation queries while these models train, seed 0; "
        rate = "the learning rate falls to 0, or until averaging begins."
        parts.append(f"{told}{rate}\n\n![learning curves](learning_curves.svg)")
    return "\n\n".join(parts)


def plot(found: list[Shortfall], target: Path) -> None:
    """Learning curves of the models in `found`, one panel a board; without any no file."""
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for board, row, _ in found:
        if curve(row):
            curves.setdefault(board.heading, {})[f"{row.model}, {row.chosen.brief}"] = curve(row)
    if not curves:
        target.unlink(missing_ok=True)
        return
    figure, axes = drawing.panels(len(curves), (5 * len(curves), 4), "learning curves")
    for axis, (heading, lines) in zip(axes, curves.items(), strict=True):
        for label, points in lines.items():
            axis.plot(*zip(*points, strict=True), "o-", markersize=3, label=label)
        axis.set(xlabel="epochs", ylabel="NDCG@20 on validation", title=heading.rsplit(",", 1)[0])
        axis.legend()
    drawing.save(figure, target)


def curve(row: Row) -> list[tuple[int, float]]:
    """Epoch and NDCG@20 on validation of a row's first seed; empty for models that train otherwise."""
    log: list[dict[str, Any]] = min(row.done, key=lambda record: record["seed"])["choosing"]
    return [(int(each["epoch"]), each["valid_ndcg"]) for each in log if "valid_ndcg" in each]


def _changes(row: Row, reference: Reference) -> tuple[float, float]:
    """Of Recall@20 and of NDCG@20, as shares."""
    recall, ndcg = row.mean("metrics", "recall"), row.mean("metrics", "ndcg")
    return recall / reference.recall - 1, ndcg / reference.ndcg - 1
