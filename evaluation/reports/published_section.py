"""A board's section on published numbers: each once, beside the row of ours that is the fairest."""

from __future__ import annotations

from tabulate import tabulate

from retrieval_leaderboard.evaluation.reports import references
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.comparability import FAMILIES
from retrieval_leaderboard.evaluation.reports.references import MEASURES, Match, Reference

HEADER = [
    "published as",
    "kind",
    "theirs",
    "ours",
    "our row",
    "Δ",
    "differs in",
    "theirs chosen on",
    "source",
]
CAPTION = (
    "Recall@20 / NDCG@20. Each published number stands once, beside the row of ours that is most like "
    "it, of several the one with the most trials; bold ones are above every row of ours but CLI "
    "overrides. Towers that add the vectors of an item's neighbors propagate one step over "
    "the graph of items taken together, and stand beside graph models. Published numbers that "
    "were selected on the test set are optimistically biased; ours use validation only. Without "
    "vectors of the same dimension no change is given."
)
NONE = "–"


def section(board: Board, labels: list[str]) -> list[str]:
    """Like beside like, and then the others with what they differ in; nothing where nothing is published."""
    found = references.beside(board)
    if not any(found.values()):
        return []
    label = dict(zip(map(id, board.rows), labels, strict=True))
    sources = list(dict.fromkeys(reference.source for reference in found))
    like: list[list[str]] = []
    unlike: list[list[str]] = []
    for reference in sorted(found, key=_place):
        match = next(iter(found[reference]), None)
        cells = _theirs(reference, board.rows), *_ours(match, label), reference.chosen_on
        line = [reference.name, reference.facts.kind, *cells, f"[{sources.index(reference.source) + 1}]"]
        (unlike if match is None or match.differences else like).append(line)
    parts = ["## Beside published numbers\n", f"{CAPTION}\n"]
    for heading, lines in (("Like for like", like), ("With a difference", unlike)):
        if lines:
            table = tabulate(lines, HEADER, tablefmt="pipe", disable_numparse=True)
            parts.append(f"### {heading}\n\n{table}\n")
    numbered = (f"[{number}] {source}" for number, source in enumerate(sources, start=1))
    return [*parts, "  \n".join(numbered) + "\n"]


def _place(reference: Reference) -> tuple[int, float]:
    """By family, as FAMILIES has them, then the best NDCG first."""
    return list(FAMILIES.values()).index(reference.facts.family), -reference.ndcg


def _theirs(reference: Reference, rows: list[Row]) -> str:
    above = references.above(reference, rows)
    cells = (f"{getattr(reference, name):.4f}" for name in MEASURES)
    return " / ".join(
        f"**{cell}**" if name in above else cell for name, cell in zip(MEASURES, cells, strict=True)
    )


def _ours(match: Match | None, label: dict[int, str]) -> list[str]:
    """The cells from ours to what differs."""
    if match is None:
        return [NONE] * 4
    row = match.row
    measured = " / ".join(f"{row.mean(name):.4f}" for name in MEASURES)
    changes = " / ".join(f"{change:+.1%}" for change in match.changes) if match.same_dimension else NONE
    return [measured, label[id(row)], changes, "; ".join(match.differences)]
