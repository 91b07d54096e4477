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
    "ml-1m": "On ml-1m SimpleX gained most from in-batch negatives, a wider margin, a history weighed by "
    "place, the mean of its weights and noise on the history's vector (93 trials; the last three took "
    "NDCG@20 on the validation queries from .1318 to .1360). What takes InfoNCE further, attention over the "
    "history and features, lowers its scores, though its loss falls: attention takes two epochs' .1298 to "
    ".0324 – .0971 (eight trials). The likely cause is the loss itself: it pulls an item whose chance to be "
    "next is above the negatives' weight to cosine 1 and pushes every other one to the margin, so that the "
    "better it is learned, the less is left to rank by. Noise, which blurs the margin, bears that out: with "
    "30 % of the history's vector dropped attention comes to .1270, and with a margin of .8 to .1303, still "
    "below the .1339 that the weighing by place has by then (nine trials). Global Hot has nothing to choose: "
    "the source breaks ties in another order and counts other test rows.",
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
    """Learning curves of the models in `found`, one panel a board."""
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for board, row, _ in found:
        if curve(row):
            curves.setdefault(board.heading, {})[f"{row.model}, {row.chosen.brief}"] = curve(row)
    if not curves:
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
