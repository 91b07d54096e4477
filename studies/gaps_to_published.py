"""Published numbers that the boards do not reach: the table and the learning curves of docs/findings.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.figures import palette
from retrieval_leaderboard.evaluation.reports.labels import labels
from retrieval_leaderboard.studies import figures, likeness
from retrieval_leaderboard.studies.likeness import Match
from retrieval_leaderboard.support import markdown

Gap = tuple[Board, Match]


def gaps(boards: list[Board]) -> list[Gap]:
    """Published numbers that the rows of ours most like them do not reach, each with the best of these."""
    return [(board, match) for board in boards for match in _missed(board)]


def _missed(board: Board) -> Iterator[Match]:
    for reference, matches in likeness.beside(board).items():
        chosen = [match for match in matches if not match.row.provenance.by_command]
        alike = [match for match in chosen if match.unlikeness == chosen[0].unlikeness]
        best = max(alike, key=lambda match: match.row.mean("ndcg"), default=None)
        if best and (
            (best.same_dimension and min(best.changes) < 0) or likeness.above(reference, board.rows)
        ):
            yield best


def table(found: list[Gap]) -> str:
    """A row a gap, as Markdown."""
    header = ["board", "published as", "theirs", "chosen on", "our row", "Δ Recall / NDCG"]
    header += ["differs in", "above all of ours"]
    return markdown.table([_line(board, match) for board, match in found], header)


def image(found: list[Gap]) -> str:
    """The plot, as Markdown; "" where no row of `found` has a learning curve."""
    return "![learning curves](learning_curves.svg)" if any(curve(match.row) for _, match in found) else ""


def _line(board: Board, match: Match) -> list[str]:
    theirs, row = match.reference, match.row
    named = dict(zip(map(id, board.rows), labels(board.rows), strict=True))
    above = ", ".join(
        {"recall": "Recall", "ndcg": "NDCG"}[name] for name in likeness.above(theirs, board.rows)
    )
    changes = " / ".join(f"{change:+.1%}" for change in match.changes) if match.same_dimension else "–"
    numbers = f"{theirs.recall:.4f} / {theirs.ndcg:.4f}"
    ours = f"{named[id(row)]}, {row.provenance.brief}"
    cells = [board.heading, theirs.name, numbers, theirs.chosen_on, ours]
    return [*cells, changes, "; ".join(match.differences), above]


def plot(found: list[Gap], target: Path) -> None:
    """Learning curves of the models in `found`, one panel a board; without any no file."""
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for board, match in found:
        row = match.row
        if curve(row):
            curves.setdefault(board.heading, {})[f"{row.model}, {row.provenance.brief}"] = curve(row)
    if not curves:
        target.unlink(missing_ok=True)
        return
    figure, axes = figures.panels(len(curves), (5 * len(curves), 5.5), "learning curves")
    for axis, (heading, lines) in zip(axes, curves.items(), strict=True):
        models = [label.split(",")[0] for label in lines]
        for at, (label, points) in enumerate(lines.items()):
            axis.plot(
                *zip(*points, strict=True),
                "o--" if models[at] in models[:at] else "o-",
                markersize=3,
                label=label,
                color=palette.color(models[at]),
            )
        title = heading.rsplit(",", 1)[0].replace(", ", "\n")
        axis.set(xlabel="epochs", ylabel="NDCG@20 on validation", title=title)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), frameon=False)
    figures.save(figure, target)


def curve(row: Row) -> list[tuple[int, float]]:
    """Epoch and NDCG@20 on validation of a row's first seed; empty for models that train otherwise."""
    log = min(row.done, key=lambda record: record.seed).measured.choosing
    return [(int(each["epoch"]), each["valid_ndcg"]) for each in log if "valid_ndcg" in each]
