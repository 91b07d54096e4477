"""Leaderboards: which stored runs belong in one table, and the rows they make."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from retrieval_leaderboard.datasets.dataset import POLICIES
from retrieval_leaderboard.evaluation.runs import environment, records
from retrieval_leaderboard.evaluation.runs.configs import Chosen

Record = dict[str, Any]
COMPUTED = ("code", "device", "precision")
SHIPPED = "shipped"
"""Key of a record while it stands on a board: whether it came with the project."""
FOLDER = "folder"
"""Key of a record while it stands on a board: the name of its folder under `runs`."""


@dataclass(frozen=True)
class Row:
    """One model with one choice of settings: its runs over seeds."""

    model: str
    settings: dict[str, Any]
    """The model's settings, and what it was computed on and in."""
    done: list[Record]
    failed: list[Record]
    shipped: bool = False
    """Whether its runs came with the project, and stand beside the user's."""

    @property
    def newest(self) -> Record:
        """The run that ended last."""
        return max(self.done + self.failed, key=lambda record: record["date"])

    @property
    def chosen(self) -> Chosen:
        """How its settings came to be chosen, by the newest of its runs."""
        return Chosen(**self.newest["chosen"])

    def values(self, *path: str) -> list[float]:
        """One number a finished run: `record[path[0]][path[1]]…`."""
        found = []
        for record in self.done:
            value: Any = record
            for key in path:
                value = value[key]
            found.append(float(value))
        return found

    def mean(self, *path: str) -> float:
        """The mean over finished runs; below any number where none finished."""
        values = self.values(*path)
        return mean(values) if values else float("-inf")

    @property
    def timed(self) -> list[Record]:
        """The finished runs of one machine, that of the most and the newest: costs of two have no mean."""
        by_machine: dict[str, list[Record]] = {}
        for record in sorted(self.done, key=lambda record: record["date"], reverse=True):
            by_machine.setdefault(environment.machine(record), []).append(record)
        return max(by_machine.values(), key=len, default=[])

    @property
    def machine(self) -> str:
        """What its costs were measured on; "" where no run finished."""
        return environment.machine(self.timed[0]) if self.done else ""

    def cost(self, key: str) -> float:
        """The mean of `record[key]` over the runs of one machine, `timed`."""
        return mean(float(record[key]) for record in self.timed)

    def spread(self, *path: str) -> float | None:
        """The standard deviation over finished runs (n − 1); None with fewer than two."""
        values = self.values(*path)
        return stdev(values) if len(values) > 1 else None


def contenders(rows: Sequence[Row]) -> list[Row]:
    """The rows that may be called the best: those with results whose settings were not set for a run.

    What is set for a run may have been picked after a look at the test results. Where all were, all may.
    """
    done = [row for row in rows if row.done]
    return [row for row in done if row.chosen.by != "command line"] or done


@dataclass(frozen=True)
class Board:
    """Rows that may stand in one table: same content, split, protocol and k."""

    dataset: dict[str, Any]
    fingerprint: str
    k: int
    rows: list[Row]

    @property
    def records(self) -> list[Record]:
        """Every run of the board."""
        return [record for row in self.rows for record in row.done + row.failed]

    @property
    def heading(self) -> str:
        """Title, protocol and policy in one line."""
        about = self.dataset
        synthetic = ", synthetic" if about["synthetic"] and "synthetic" not in about["title"] else ""
        policy = POLICIES[about["exclude_seen"]]
        return f"{about['title']}{synthetic}: {about['protocol']}, {policy}, top {self.k}"

    @property
    def split_seed(self) -> int:
        """Seed of the split its queries come from."""
        return self.dataset["split_seed"]

    @property
    def machines(self) -> list[str]:
        """What its finished runs were made on, each once."""
        return list(dict.fromkeys(environment.machine(record) for row in self.rows for record in row.done))

    def is_about(self, fingerprint: str, k: int) -> bool:
        """Whether it ranks lists of `k` for the dataset of that fingerprint."""
        return (self.fingerprint, self.k) == (fingerprint, k)


def read_boards(folder: Path, shipped: Path | None = None) -> list[list[Board]]:
    """Every board whose runs are stored under `folder`, those that differ in split seed alone together.

    Args:
        folder: of one dataset.
        shipped: the folder of the same dataset whose runs came with the project, and stand beside the
            others on their boards.
    """
    theirs = _grouped(_records(shipped, shipped=True), "fingerprint", "k") if shipped else {}
    families: dict[str, list[Board]] = {}
    for key, group in _grouped(_records(folder), "fingerprint", "k").items():
        board = _board([*group, *theirs.get(key, [])])
        families.setdefault(board.heading, []).append(board)
    return [part for _, family in sorted(families.items()) for part in _comparable(family)]


def _records(folder: Path, shipped: bool = False) -> list[Record]:
    found = records.of_board(folder)
    return [record | {SHIPPED: shipped, FOLDER: path.name} for path, record in found.items()]


def _comparable(family: list[Board]) -> list[list[Board]]:
    """The family by split seed; each board alone where a seed comes twice, for then the data has changed."""
    ordered = sorted(family, key=lambda board: board.split_seed)
    if len({board.split_seed for board in ordered}) < len(ordered):
        return [[board] for board in ordered]
    return [ordered]


def _board(group: list[Record]) -> Board:
    rows = [
        Row(
            model=alike[0]["model"],
            settings=alike[0]["settings"] | {key: alike[0][key] for key in COMPUTED if alike[0][key]},
            done=[record for record in alike if record["status"] == "done"],
            failed=[record for record in alike if record["status"] != "done"],
            shipped=alike[0][SHIPPED],
        )
        for alike in _grouped(group, "model", "settings", *COMPUTED, SHIPPED).values()
    ]
    return Board(group[0]["dataset"], group[0]["fingerprint"], group[0]["k"], rows)


def _grouped(given: Iterable[Record], *keys: str) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = {}
    for record in given:
        key = json.dumps([record[key] for key in keys], sort_keys=True)
        groups.setdefault(key, []).append(record)
    return groups
