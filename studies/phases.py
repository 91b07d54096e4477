"""The phases of a run whose memory is measured, on made-up logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.prepared.in_files import in_files
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.datasets.splits.split import split
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.ranking import topk
from retrieval_leaderboard.studies.measured import measured, watched
from retrieval_leaderboard.studies.processes import anonymous_mib_of
from retrieval_leaderboard.support import compute

USER_ROWS, ITEM_ROWS = 20, 50
"""Rows of a user and of an item, on average"""
DIMENSIONS, LENGTH = 64, 20
FEW_ITEMS = 1000
"""That ranking is measured with: its memory does not grow with them"""
ALS = {"factors": 128, "iterations": 1}


@dataclass(frozen=True)
class Measured:
    """A phase at one size."""

    units: int
    held_mib: float
    """Anonymous memory before it"""
    peak_mib: float
    """And at its peak, of all its processes"""
    cpu: float
    """Seconds"""
    told: int = 0
    """Bytes that the model said it would take; 0 where it is no fit"""


@dataclass(frozen=True)
class Phase:
    """What is measured, of what, and what lifts its limit."""

    measure: Callable[[int], Measured]
    unit: str
    lifts: str


def made_up(rows: int) -> Log:
    """A log of so many rows: popular items, active users, ids of text, times."""
    rng = np.random.default_rng(0)
    users, items = rows // USER_ROWS, rows // ITEM_ROWS
    return Log(
        "made-up",
        user=(rng.random(rows) ** 1.2 * users).astype(np.int32),
        item=(rng.random(rows) ** 1.5 * items).astype(np.int32),
        user_ids=np.array([f"user {code}" for code in range(users)], object),
        item_ids=np.array([f"item {code}" for code in range(items)], object),
        timestamp=1_600_000_000 + rng.integers(0, 10**7, rows),
    )


def dataset_of(rows: int) -> Dataset:
    """The log split by time."""
    return split(made_up(rows), "time", True, 0)


def measure(phase: str, rows: int) -> Measured:
    """Of a phase, in this process."""
    compute.configure("cpu", "fp32", 1)
    return PHASES[phase].measure(rows)


def _watched(units: int, work: Callable[[], Any], told: int = 0) -> Measured:
    held = anonymous_mib_of()
    _, taken = watched(work)
    return Measured(units, round(held, 1), taken.anonymous_mib, taken.cpu, told)


def _split(rows: int) -> Measured:
    log = made_up(rows)
    return _watched(rows, lambda: split(log, "time", True, 0))


def _fingerprint(rows: int) -> Measured:
    dataset = dataset_of(rows)
    return _watched(rows, lambda: dataset.fingerprint)


def _hand_over(prepare: Callable[[Dataset], Dataset]) -> Callable[[int], Measured]:
    """The data in both processes, all of it: what the command holds before it has the data is not counted."""

    def measured_with(rows: int) -> Measured:
        held = anonymous_mib_of()
        dataset = prepare(dataset_of(rows))
        (_, child), parent = watched(measured, _read, dataset)
        peak = child.anonymous_mib + parent.anonymous_mib
        return Measured(rows, round(held, 1), round(peak, 1), child.cpu + parent.cpu)

    return measured_with


def _read(dataset: Dataset) -> int:
    return int(dataset.train_valid.item.sum()) + len(dataset.test)


def _fit(name: str, **values: Any) -> Callable[[int], Measured]:
    def measured_with(rows: int) -> Measured:
        kind = registry.get(name)
        every = settings.defaults(kind) | values
        harness.warm_up(kind, every)
        dataset = dataset_of(rows)
        model = settings.build(kind, every).resolved(dataset.train, dataset.valid)
        told = model.fit_bytes(dataset.train_valid, None)
        return _watched(rows, lambda: model.fit(dataset.train_valid, None, 0), told)

    return measured_with


def _rank(rows: int) -> Measured:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((rows // USER_ROWS, DIMENSIONS), dtype=np.float32)
    items = vectors[:FEW_ITEMS].copy()
    topk.inner_product(vectors[:2], items, Ragged.empty(2), LENGTH)
    excluded = Ragged.empty(len(vectors))
    return _watched(len(vectors), lambda: topk.inner_product(vectors, items, excluded, LENGTH))


def _score(rows: int) -> Measured:
    dataset = dataset_of(rows)
    rng, queries = np.random.default_rng(0), len(dataset.test)
    first = rng.integers(0, dataset.train.n_items - LENGTH, (queries, 1))
    lists = (first + np.arange(LENGTH)).astype(np.int32)
    return _watched(queries, lambda: harness.score(lists, dataset, LENGTH))


LOG = "`--memory`: a log sorted and split on disk"
ENGINE = "`--engine spark`"
PHASES = {
    "split": Phase(_split, "interaction", LOG),
    "fingerprint": Phase(_fingerprint, "interaction", LOG),
    "hand-over pickled": Phase(_hand_over(lambda dataset: dataset), "interaction", "files, as now"),
    "hand-over in files": Phase(_hand_over(in_files), "interaction", LOG),
    "item_cf": Phase(_fit("item_cf"), "interaction", f"`top_k`, {ENGINE}"),
    "swing": Phase(_fit("swing"), "interaction", f"`top_k`, {ENGINE}; for time `max_users_per_item`"),
    "user_knn": Phase(_fit("user_knn"), "interaction", LOG),
    "als": Phase(_fit("als", **ALS), "interaction", "`factors`, `solver=spark`"),
    "ranking": Phase(_rank, "query", "`write_lists` ([many-queries.md](many-queries.md))"),
    "metrics and slices": Phase(_score, "query", "fewer queries"),
}
"""What is measured; fits with 1 / 20 user and 1 / 50 item an interaction"""
