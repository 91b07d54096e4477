"""Published numbers beside ours: what `references.yaml` holds, and what of it is of a board's task."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from retrieval_leaderboard.datasets.splits.registry import excludes_seen
from retrieval_leaderboard.evaluation.reports import comparability
from retrieval_leaderboard.evaluation.reports.board import Board
from retrieval_leaderboard.evaluation.reports.comparability import Facts
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


def of_task(board: Board) -> list[Reference]:
    """Every number published of a board's dataset, whole, split and asked as it is, of lists of its k."""
    about = board.dataset
    whole = about.profile is None or about.profile.is_whole
    same_task = whole and about.exclude_seen == excludes_seen(about.protocol)
    known = published(about.name, about.protocol) if same_task else []
    return [each for each in known if each.k == board.k and each.ties in ("", about.ties)]
