"""Published numbers beside ours: what `references.yaml` holds, and the rows of a board that each is like."""

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
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import contents

FILE = Path(__file__).with_name("references.yaml")
CUTOFF = 20
"""Length of the lists of a published row that does not say"""
MEASURES = ("recall", "ndcg")


@dataclass(frozen=True)
class Reference:
    """A row of somebody else's table."""

    name: str
    """as they call the model"""
    recall: float
    ndcg: float
    source: str
    chosen_on: str
    """the part of the data that settings and epochs were chosen on: "test", "validation" or "unstated" """
    facts: Facts
    also: str = ""
    """in what else it differs from any row of ours"""
    k: int = CUTOFF
    """length of the lists"""
    ties: str = ""
    """the order of ties of the one split that it is of, a key of `order.TIES`; "" for any"""
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
    same_method: bool
    """whether both are of one method over items, or neither of any"""

    @property
    def unlikeness(self) -> tuple[bool, bool, bool, int]:
        """The smaller, the fairer it is to compare the two."""
        return not self.same_family, not self.same_dimension, not self.same_method, len(self.differences)

    @property
    def changes(self) -> tuple[float, float]:
        """Of Recall and of NDCG, from theirs to ours, as shares."""
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
    return {reference: _matches(reference, board) for reference in of_task(board)}


def of_task(board: Board) -> list[Reference]:
    """Every number published of a board's dataset, whole, split and asked as it is, of lists of its k."""
    about = board.dataset
    whole = about.profile is None or about.profile.is_whole
    same_task = whole and about.exclude_seen == excludes_seen(about.protocol)
    known = published(about.name, about.protocol) if same_task else []
    return [each for each in known if each.k == board.k and each.ties in ("", about.ties)]


def _matches(reference: Reference, board: Board) -> list[Match]:
    theirs, found = reference.facts, []
    for row in board.rows:
        ours = comparability.facts(row.model, row.plain_settings, propagates(row)) if row.done else None
        asked = reference.beside in ("", row.model)
        if ours is not None and asked and comparability.comparable(ours, theirs):
            differ = (*comparability.differences(ours, theirs), *filter(None, [reference.also]))
            alike = (
                ours.family == theirs.family,
                ours.dimension == theirs.dimension,
                ours.method == theirs.method,
            )
            found.append(Match(reference, row, differ, *alike))
    return sorted(found, key=_unfairness)


def _unfairness(match: Match) -> tuple[bool, bool, bool, int, bool, int, float]:
    made = match.row.provenance
    return *match.unlikeness, made.by_command, -made.trials, -match.row.mean("ndcg")
