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
from support.errors import InputError
from support.files import contents

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
    """Model of this suite → what others report for its kind on a dataset.

    Raises:
        InputError: the file is not of its form.
    """
    where = f"{FILE}, {dataset}, {protocol}"
    try:
        content = yaml.safe_load(contents(FILE))
        given = content.get(dataset, {}).get(protocol, {})
        return {
            model: [_reference(row, content["sources"], f"{where}, {model}") for row in rows]
            for model, rows in given.items()
        }
    except InputError:
        raise
    except Exception as error:  # YAML and its reader have a dozen ways to be of another form.
        raise InputError(f"{where}: it is not of the form that its head tells: {error}") from error


def _reference(row: dict[str, Any], sources: dict[str, str], where: str) -> Reference:
    found = Reference(**(row | {"source": sources[row["source"]]}))
    for name in ("recall", "ndcg"):
        value = getattr(found, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise InputError(f"{where}: {name} is {value}; give a number above 0, up to 1")
    return found


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
