"""The part of docs/findings.md on published numbers that are not reached: how far off, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tabulate import tabulate

from retrieval_leaderboard.evaluation.reports import references
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.labels import labels
from retrieval_leaderboard.evaluation.reports.references import Match
from retrieval_leaderboard.studies import figures

Shortfall = tuple[Board, Match]
WHY = {
    "ml-1m": "On ml-1m Global Hot has nothing to choose: the source breaks ties in another order and counts "
    "other test rows.",
}
"""Dataset → what the ablations and the curves say of the causes"""
TOLD = (
    "Every row of the boards counts but those set for a run. Of a published number those stand here "
    "that are as like it as the row beside it on the board, and below it in Recall@20 or NDCG@20; that "
    "row in any case where the number is above all of those. No change is given between vectors of "
    "different dimensions, or where theirs is not stated."
)


def shortfalls(boards: list[Board]) -> list[Shortfall]:
    """Published numbers that rows of ours do not reach, each with those of the fairest that are below it."""
    return [(board, match) for board in boards for match in _missed(board)]


def _missed(board: Board) -> Iterator[Match]:
    for reference, matches in references.beside(board).items():
        chosen = [match for match in matches if not match.row.provenance.by_command]
        fairest = [match for match in chosen if match.unlikeness == chosen[0].unlikeness]
        below = [match for match in fairest if match.same_dimension and min(match.changes) < 0]
        above = references.above(reference, board.rows)
        yield from below or (matches[:1] if above else [])


def section(found: list[Shortfall]) -> str:
    """The shortfalls as Markdown."""
    header = ["board", "published as", "theirs", "chosen on", "our row", "Δ Recall@20 / NDCG@20"]
    header += ["differs in", "above all of ours"]
    lines = [_line(board, match) for board, match in found]
    boards = {board.dataset.name for board, _ in found}
    why = [text for dataset, text in WHY.items() if dataset in boards]
    table = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    parts = ["## Published numbers that are not reached", TOLD, table, *why]
    if any(curve(match.row) for _, match in found):
        told = "NDCG@20 on validation queries while these models train, seed 0; "
        rate = "the learning rate falls to 0, or until averaging begins."
        parts.append(f"{told}{rate}\n\n![learning curves](learning_curves.svg)")
    return "\n\n".join(parts)


def _line(board: Board, match: Match) -> list[str]:
    theirs, row = match.reference, match.row
    named = dict(zip(map(id, board.rows), labels(board.rows), strict=True))
    above = ", ".join(
        {"recall": "Recall", "ndcg": "NDCG"}[name] for name in references.above(theirs, board.rows)
    )
    changes = " / ".join(f"{change:+.1%}" for change in match.changes) if match.same_dimension else "–"
    numbers = f"{theirs.recall:.4f} / {theirs.ndcg:.4f}"
    cells = [
        board.heading,
        theirs.name,
        numbers,
        theirs.chosen_on,
        f"{named[id(row)]}, {row.provenance.brief}",
    ]
    return [*cells, changes, "; ".join(match.differences), above]


def plot(found: list[Shortfall], target: Path) -> None:
    """Learning curves of the models in `found`, one panel a board; without any no file."""
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for board, match in found:
        row = match.row
        if curve(row):
            curves.setdefault(board.heading, {})[f"{row.model}, {row.provenance.brief}"] = curve(row)
    if not curves:
        target.unlink(missing_ok=True)
        return
    figure, axes = figures.panels(len(curves), (5 * len(curves), 4), "learning curves")
    for axis, (heading, lines) in zip(axes, curves.items(), strict=True):
        for label, points in lines.items():
            axis.plot(*zip(*points, strict=True), "o-", markersize=3, label=label)
        axis.set(xlabel="epochs", ylabel="NDCG@20 on validation", title=heading.rsplit(",", 1)[0])
        axis.legend()
    figures.save(figure, target)


def curve(row: Row) -> list[tuple[int, float]]:
    """Epoch and NDCG@20 on validation of a row's first seed; empty for models that train otherwise."""
    log = min(row.done, key=lambda record: record.seed).measured.choosing
    return [(int(each["epoch"]), each["valid_ndcg"]) for each in log if "valid_ndcg" in each]
