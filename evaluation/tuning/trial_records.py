"""The copy of a search's trials that stands beside the runs of its board."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.runs import migrations
from retrieval_leaderboard.support.storage import sealed


@dataclass(frozen=True)
class TrialRecord:
    """One configuration, and what it scored on the validation part."""

    state: str
    """"complete", "pruned" or "fail" """
    settings: dict[str, Any]
    """Those that were searched, and the length of training"""
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    """Why it failed"""


@dataclass(frozen=True)
class TuningRecord:
    """All trials of one search."""

    fingerprint: str
    model: str
    seed: int
    device: str
    precision: str
    dataset: str
    """In words"""
    versions: dict[str, str]
    processor: str
    fixed: dict[str, Any]
    """Settings that were not searched"""
    trials: tuple[TrialRecord, ...]
    threads: int | None = None
    minutes: float | None = None
    """The budget of time"""
    schema: int = 2


def load(path: Path) -> TuningRecord:
    """What a copy of any version holds; DamagedError or OSError as `sealed.load`."""
    return sealed.load(path, TuningRecord, migrations.trials)


def write(path: Path, record: TuningRecord) -> None:
    """Keep it."""
    sealed.write(path, asdict(record))
