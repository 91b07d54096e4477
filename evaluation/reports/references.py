"""Published numbers beside ours: what `references.yaml` holds, the rows of a board that each is like, and the
board's section on them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from retrieval_leaderboard.datasets.splits.registry import excludes_seen
from retrieval_leaderboard.evaluation.reports import comparability
from retrieval_leaderboard.evaluation.reports.board import Board, Row, contenders
from retrieval_leaderboard.evaluation.reports.comparability import Facts
from retrieval_leaderboard.evaluation.reports.propagation import propagates
from retrieval_leaderboard.support import markdown
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import contents

FILE = Path(__file__).with_name("references.yaml")
CUTOFF = 20
"""All published numbers there are of lists of 20."""
MEASURES = ("recall", "ndcg")
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
    facts: Facts
    also: str = ""
    """in what else it differs from any row of ours"""
    beside: str = ""
    """the model of ours that it is compared with; "" for every one that its facts allow"""


@dataclass(frozen=True)
class Match:
    """A published row, and one of ours that may stand beside it."""

    reference: Reference
    row: Row
    differences: tuple[str, ...]
    """in a few words each; none where like is compared with like"""
    same_family: bool
    """whether both are of one kind, or of two that are compared; by `comparability.FAMILIES`"""
    same_dimension: bool
    """whether their vectors are of one size, or neither has any; without that a change says nothing"""

    @property
    def unlikeness(self) -> tuple[bool, bool, int]:
        """The smaller, the fairer it is to compare the two."""
        return not self.same_family, not self.same_dimension, len(self.differences)

    @property
    def changes(self) -> tuple[float, float]:
        """Of Recall@20 and of NDCG@20, from theirs to ours, as shares."""
        recall, ndcg = (self.row.mean(name) / getattr(self.reference, name) - 1 for name in MEASURES)
        return recall, ndcg


@cache
def published(dataset: str, protocol: str) -> list[Reference]:
    """What others report on a dataset.

    Raises:
        InputError: the file is not of its form.
    """
    where = f"{FILE}, {dataset}, {protocol}"
    try:
        content = yaml.safe_load(contents(FILE))
        rows = content.get(dataset, {}).get(protocol, [])
        return [_reference(row, content["sources"][row["source"]], where) for row in rows]
    except InputError:
        raise
    except Exception as error:  # YAML and its reader have a dozen ways to be of another form.
        raise InputError(f"{where}: it is not of the form that its head describes: {error}") from error


def _reference(row: dict[str, Any], source: dict[str, str], where: str) -> Reference:
    known = {field.name for field in fields(Facts)}
    given = {key: value for key, value in row.items() if key in known}
    graph = comparability.USUAL_GRAPH if comparability.FAMILIES[row["kind"]] == "graph" else "none"
    facts = Facts(**({"graph": graph, "user": comparability.USERS.get(row["kind"])} | given))
    rest = {key: value for key, value in row.items() if key not in known}
    found = Reference(
        **(rest | {"source": source["citation"], "chosen_on": source["chosen_on"], "facts": facts})
    )
    for name in MEASURES:
        value = getattr(found, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise InputError(f"{where}, {found.name}: {name} is {value}; give a number above 0, up to 1")
    return found


def above(reference: Reference, rows: list[Row]) -> list[str]:
    """The measures in which no row of ours reaches it, but for those set for a run."""
    ours = contenders(rows)
    return [name for name in MEASURES if all(getattr(reference, name) > row.mean(name) for row in ours)]


def beside(board: Board) -> dict[Reference, list[Match]]:
    """Every number published of a board's task, with the rows that may stand beside it, the fairest first:
    of the same family and dimension, with the fewest differences, not set by hand for a run, with the most
    trials.
    """
    about = board.dataset
    whole = about.profile is None or about.profile.is_whole
    same_task = board.k == CUTOFF and whole and about.exclude_seen == excludes_seen(about.protocol)
    known = published(about.name, about.protocol) if same_task else []
    return {reference: _matches(reference, board) for reference in known}


def _matches(reference: Reference, board: Board) -> list[Match]:
    theirs, found = reference.facts, []
    for row in board.rows:
        ours = comparability.facts(row.model, row.plain_settings, propagates(row)) if row.done else None
        asked = reference.beside in ("", row.model)
        if ours is not None and asked and comparability.comparable(ours, theirs):
            differ = (*comparability.differences(ours, theirs), *filter(None, [reference.also]))
            alike = ours.family == theirs.family, ours.dimension == theirs.dimension
            found.append(Match(reference, row, differ, *alike))
    return sorted(found, key=_unfairness)


def _unfairness(match: Match) -> tuple[bool, bool, int, bool, int, float]:
    made = match.row.provenance
    return *match.unlikeness, made.by_command, -made.trials, -match.row.mean("ndcg")


def section(board: Board, labels: list[str]) -> list[str]:
    """Like beside like, and then the others with what they differ in; nothing where nothing is published."""
    found = beside(board)
    if not any(found.values()):
        return []
    label = dict(zip(map(id, board.rows), labels, strict=True))
    sources = list(dict.fromkeys(reference.source for reference in found))
    like: list[list[str]] = []
    unlike: list[list[str]] = []
    for reference in sorted(found, key=_rank):
        match = next(iter(found[reference]), None)
        cells = _theirs(reference, board.rows), *_ours(match, label), reference.chosen_on
        line = [reference.name, reference.facts.kind, *cells, f"[{sources.index(reference.source) + 1}]"]
        (unlike if match is None or match.differences else like).append(line)
    parts = ["## Beside published numbers\n", f"{CAPTION}\n"]
    for heading, lines in (("Like for like", like), ("With a difference", unlike)):
        if lines:
            table = markdown.table(lines, HEADER)
            parts.append(f"### {heading}\n\n{table}\n")
    numbered = (f"[{number}] {source}" for number, source in enumerate(sources, start=1))
    return [*parts, "  \n".join(numbered) + "\n"]


def _rank(reference: Reference) -> tuple[int, float]:
    """By family, as FAMILIES has them, then the best NDCG first."""
    return list(comparability.FAMILIES.values()).index(reference.facts.family), -reference.ndcg


def _theirs(reference: Reference, rows: list[Row]) -> str:
    bold = above(reference, rows)
    cells = (f"{getattr(reference, name):.4f}" for name in MEASURES)
    return " / ".join(
        f"**{cell}**" if name in bold else cell for name, cell in zip(MEASURES, cells, strict=True)
    )


def _ours(match: Match | None, label: dict[int, str]) -> list[str]:
    """The cells from ours to what differs."""
    if match is None:
        return [NONE] * 4
    row = match.row
    measured = " / ".join(f"{row.mean(name):.4f}" for name in MEASURES)
    changes = " / ".join(f"{change:+.1%}" for change in match.changes) if match.same_dimension else NONE
    return [measured, label[id(row)], changes, "; ".join(match.differences)]
