"""Leaderboards: which stored runs belong in one table, and the rows they make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from statistics import mean, stdev
from typing import Any, TypeVar

from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.models.fields import AUTO
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary, RunRecord
from retrieval_leaderboard.support.errors import InputError

Key = TypeVar("Key")
COMPUTED = ("code", "device", "precision", "warm_start")
REFERENCE_MODEL, RANKED_BY = "item_cf", "ndcg"
EXPONENT = "popularity_exponent"


@dataclass(frozen=True)
class Row:
    """One model with the same settings: its runs over seeds."""

    model: str
    settings: dict[str, Any]
    """The model's settings as asked, and what it was computed on and in."""
    done: list[RunRecord]
    failed: list[RunRecord]
    shipped: bool = False
    """Whether its runs came with the project, and stand beside the user's."""
    folder: Path = Path()
    """Of the dataset's results, where its runs lie."""

    @property
    def newest(self) -> RunRecord:
        """The run that ended last."""
        return max(self.done + self.failed, key=lambda record: record.date)

    @property
    def provenance(self) -> Provenance:
        """How its settings came about: what stands highest by `Provenance.beside`, of equals the newest."""
        runs = sorted(self.done or self.failed, key=lambda record: record.date, reverse=True)
        return reduce(Provenance.beside, (record.provenance for record in runs))

    @property
    def plain_settings(self) -> dict[str, Any]:
        """The settings resolved, where that is known."""
        return self.settings | next((each.resolved for each in self.done if each.resolved), {})

    @property
    def shown_settings(self) -> dict[str, Any]:
        """The settings as pages have them: resolved where that is known, with what was asked in brackets."""
        plain = self.plain_settings | self._chosen_exponent
        resolved = {key for key, value in self.settings.items() if value == AUTO and plain[key] != AUTO}
        return {
            key: f"{'none' if plain[key] == '' else plain[key]} ({AUTO})" if key in resolved else value
            for key, value in self.settings.items()
        }

    @property
    def _chosen_exponent(self) -> dict[str, Any]:
        """The popularity exponents that its fits chose with their best epochs, where they had the choice."""
        if self.plain_settings.get(EXPONENT) != AUTO:
            return {}
        logs = [record.measured.choosing for record in self.done]
        best = [max(log, key=lambda epoch: epoch.get("valid_ndcg", 0.0)) for log in logs if log]
        found = sorted({epoch[EXPONENT] for epoch in best if EXPONENT in epoch})
        return {EXPONENT: " to ".join(map(str, dict.fromkeys((found[0], found[-1]))))} if found else {}

    @property
    def without_effect(self) -> frozenset[str]:
        """Settings that change nothing here, by what its runs say and what its model reads."""
        said = [frozenset(record.measured.without_effect) for record in self.done]
        unread = self._class.unread(self.plain_settings) if self._class else frozenset()
        return frozenset.intersection(*said) | unread if said else unread

    @property
    def settings_with_effect(self) -> dict[str, Any]:
        """The plain settings, those without effect as by default: equal for rows that differ in nothing."""
        default = settings.defaults(self._class) if self._class else {}
        idle = self.without_effect
        return {key: default.get(key) if key in idle else value for key, value in self.plain_settings.items()}

    @property
    def of_one_seed(self) -> bool:
        """Whether its one run is of a model of the suite whose results depend on the seed."""
        if len(self.done) != 1 or self._class is None:
            return False
        known = settings.defaults(self._class)
        values = {key: value for key, value in self.plain_settings.items() if key in known}
        try:
            return settings.build(self._class, values).stochastic
        except InputError:  # Settings of an earlier version, which the model takes no more.
            return False

    @property
    def _class(self) -> type[Retriever] | None:
        """Of a model of the suite; None of another."""
        known = self.model in registry.names() and not self.newest.code
        return registry.get(self.model) if known else None

    def values(self, metric: str) -> list[float]:
        """Of each finished run that has the metric."""
        found = (record.measured.metrics for record in self.done)
        return [metrics[metric] for metrics in found if metric in metrics]

    def mean(self, metric: str) -> float:
        """The mean over finished runs; below any number where none has the metric."""
        values = self.values(metric)
        return mean(values) if values else float("-inf")

    def spread(self, metric: str) -> float | None:
        """The standard deviation over finished runs (n − 1); None with fewer than two."""
        values = self.values(metric)
        return stdev(values) if len(values) > 1 else None

    @property
    def timed(self) -> list[RunRecord]:
        """The finished runs of one machine, that of the most and the newest: costs of two have no mean."""
        by_machine: dict[str, list[RunRecord]] = {}
        for record in sorted(self.done, key=lambda record: record.date, reverse=True):
            by_machine.setdefault(record.costs.machine, []).append(record)
        return max(by_machine.values(), key=len, default=[])

    @property
    def machine(self) -> str:
        """What its costs were measured on; "" where no run finished, or they are not known."""
        return self.timed[0].costs.machine if self.done else ""

    def cost(self, name: str) -> float:
        """The mean of a field of `Costs` over the runs of one machine, `timed`."""
        return mean(float(getattr(record.costs, name)) for record in self.timed)


def originals(rows: Sequence[Row]) -> list[int]:
    """For each row the place of the one that it repeats: the same model with the same resolved settings,
    those without effect apart.

    Of such rows one with results comes first, then an official one, then one whose settings are no CLI
    override, then the user's own. A row that repeats none has its own place.
    """

    def last(at: int) -> tuple[bool, bool, bool, bool]:
        made = rows[at].provenance
        return not rows[at].done, not made.official, made.by_command, rows[at].shipped

    first: dict[str, int] = {}
    found = list(range(len(rows)))
    for at in sorted(found, key=last):
        same = json.dumps([rows[at].model, rows[at].settings_with_effect], sort_keys=True)
        found[at] = first.setdefault(same, at)
    return found


def reference(rows: Sequence[Row]) -> int | None:
    """The place of the best finished row of ItemCF, an official one where there is one; None without any."""
    known = [at for at, row in enumerate(rows) if row.model == REFERENCE_MODEL and row.done]
    return max(known, key=lambda at: (rows[at].provenance.official, rows[at].mean(RANKED_BY)), default=None)


def contenders(rows: Sequence[Row]) -> list[Row]:
    """The rows that may be called the best: those with results whose settings are no CLI override.

    An override may have been picked after a look at the test results. Where all were, all may.
    """
    done = [row for row in rows if row.done]
    return [row for row in done if not row.provenance.by_command] or done


@dataclass(frozen=True)
class Board:
    """Rows that may stand in one table: same content, split, protocol and k."""

    dataset: DatasetSummary
    fingerprint: str
    k: int
    rows: list[Row]

    @property
    def records(self) -> list[RunRecord]:
        """Every run of the board."""
        return [record for row in self.rows for record in row.done + row.failed]

    @property
    def heading(self) -> str:
        """Title, how it is split, and the length of the lists, in one line."""
        return f"{self.dataset.heading}, top {self.k}"

    @property
    def split_seed(self) -> int:
        """Seed of the split its queries come from."""
        return self.dataset.split_seed

    @property
    def machines(self) -> list[str]:
        """What its finished runs were made on, each once."""
        used = (record.costs.machine for row in self.rows for record in row.done)
        return list(dict.fromkeys(filter(None, used)))

    def is_about(self, fingerprint: str, k: int) -> bool:
        """Whether it ranks lists of `k` for the dataset of that fingerprint."""
        return (self.fingerprint, self.k) == (fingerprint, k)


def read_boards(folder: Path, shipped: Path | None = None) -> list[list[Board]]:
    """Every board whose runs are stored under `folder`, those that differ in split seed alone together.

    Args:
        folder: of one dataset.
        shipped: the folder of the same dataset whose runs came with the project, and stand beside the
            others on their boards; rows of which `folder` has a copy stand there once.
    """
    theirs = _boards_of(shipped, shipped=True) if shipped else {}
    families: dict[str, list[Board]] = {}
    for key, ours in _boards_of(folder).items():
        copied = [(row.done, row.failed) for row in ours]
        others = [row for row in theirs.get(key, []) if (row.done, row.failed) not in copied]
        board = _board([*ours, *others])
        families.setdefault(board.heading, []).append(board)
    return [part for _, family in sorted(families.items()) for part in _comparable(family)]


def _boards_of(folder: Path, shipped: bool = False) -> dict[tuple[str, int], list[Row]]:
    """Fingerprint and k → the rows of the runs stored under `folder`."""
    runs = records.of_board(folder).values()
    alike = _grouped(runs, lambda each: json.dumps(each.row_key, sort_keys=True))
    rows = [_row(group, folder, shipped) for group in alike.values()]
    return _grouped(rows, lambda row: (row.newest.fingerprint, row.newest.k))


def _comparable(family: list[Board]) -> list[list[Board]]:
    """The family by split seed; each board alone where a seed comes twice, for then the data has changed."""
    ordered = sorted(family, key=lambda board: board.split_seed)
    if len({board.split_seed for board in ordered}) < len(ordered):
        return [[board] for board in ordered]
    return [ordered]


def _board(rows: list[Row]) -> Board:
    about = rows[0].newest
    return Board(about.dataset, about.fingerprint, about.k, rows)


def _row(alike: list[RunRecord], folder: Path, shipped: bool) -> Row:
    identity = alike[0].key
    computed = {key: identity[key] for key in COMPUTED if identity.get(key)}
    return Row(
        model=alike[0].model,
        settings=alike[0].settings | computed,
        done=[record for record in alike if record.is_done],
        failed=[record for record in alike if not record.is_done],
        shipped=shipped,
        folder=folder,
    )


def _grouped(given: Iterable[Any], key: Callable[[Any], Key]) -> dict[Key, list[Any]]:
    groups: dict[Key, list[Any]] = {}
    for each in given:
        groups.setdefault(key(each), []).append(each)
    return groups
