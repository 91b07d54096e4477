"""Published numbers beside ours: `references.yaml` and the table a board makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tabulate import tabulate

from datasets.splits import excludes_seen
from evaluation.board import Board, Row

FILE = Path(__file__).parent.parent / "references.yaml"
CUTOFF = 20
"""All published numbers there are of lists of 20."""


@dataclass(frozen=True)
class Reference:
    """A row of somebody else's table."""

    name: str
    """as they call the model"""
    recall: float
    """Recall@20"""
    ndcg: float
    """NDCG@20"""
    source: str
    chosen_on: str
    """the part of the data that settings and epochs were chosen on: "test", "validation" or "unstated" """


@cache
def published(dataset: str, protocol: str) -> dict[str, list[Reference]]:
    """Model of this suite → what others report for its kind on a dataset."""
    content: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    sources = content["sources"]
    return {
        model: [Reference(**(row | {"source": sources[row["source"]]})) for row in rows]
        for model, rows in content.get(dataset, {}).get(protocol, {}).items()
    }


def beside(board: Board) -> list[tuple[Row, Reference]]:
    """The board's rows with results, each with every published number that it can be compared with."""
    about = board.dataset
    comparable = board.k == CUTOFF and about["exclude_seen"] == excludes_seen(about["protocol"])
    known = published(about["name"], about["protocol"]) if comparable else {}
    return [(row, reference) for row in board.rows if row.done for reference in known.get(row.model, [])]


def section(board: Board, labels: list[str]) -> list[str]:
    """The board's rows beside the published ones; nothing where there are none to compare with."""
    label = dict(zip(map(id, board.rows), labels, strict=True))
    lines = [_line(label[id(row)], row, reference) for row, reference in beside(board)]
    if not lines:
        return []
    header = ["model", "Recall@20", "NDCG@20", "published as", "Recall@20", "NDCG@20", "Δ Recall", "Δ NDCG"]
    header += ["our settings", "theirs chosen on", "source"]
    table = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    told = "Numbers chosen on test are flattered by that choice; ours are chosen on validation, if at all."
    return ["## Beside published numbers\n", f"{told}\n\n{table}\n"]


def _line(label: str, row: Row, reference: Reference) -> list[str]:
    ours = {name: row.mean("metrics", name) for name in ("recall", "ndcg")}
    theirs = {name: getattr(reference, name) for name in ours}
    return [
        label,
        *(f"{value:.4f}" for value in ours.values()),
        reference.name,
        *(f"{value:.4f}" for value in theirs.values()),
        *(f"{ours[name] / theirs[name] - 1:+.1%}" for name in ours),
        row.chosen.brief,
        reference.chosen_on,
        reference.source,
    ]
