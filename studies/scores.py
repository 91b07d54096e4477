"""Scores on the validation part that the studies keep as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from retrieval_leaderboard.evaluation.runs import migrations
from retrieval_leaderboard.evaluation.runs.record import Identity
from retrieval_leaderboard.support.storage import sealed


@dataclass(frozen=True)
class Finding(Identity):
    """One variant of an ablation, one seed."""

    ndcg: float
    seconds: float
    dataset: str
    """In words"""
    threads: int
    processor: str
    commit: str
    date: str
    peak_mib: float | None = None
    """Of the process that fitted it; None where it was not measured"""
    schema: int = 2

    @property
    def title(self) -> str:
        """Of its dataset."""
        return self.dataset.partition(":")[0]

    @property
    def name(self) -> str:
        """Of its dataset, without what a synthetic one's title says beside."""
        return self.title.partition(",")[0]


@dataclass(frozen=True)
class Transfer:
    """A model's defaults, or another dataset's settings, on a dataset."""

    dataset: str
    """In words"""
    model: str
    settings: dict[str, Any]
    ndcg: float
    processor: str
    commit: str
    origin: str = ""
    """The dataset that the settings were tuned on; "" for the defaults"""
    schema: int = 2


Score = TypeVar("Score", Finding, Transfer)


def file_name(dataset: str, identity: Identity) -> str:
    """Of the score of a variant on a dataset."""
    return f"{dataset}-{identity.stem}.json"


def load(path: Path, kind: type[Score]) -> Score:
    """What a file of any version holds; DamagedError or OSError as `sealed.load`."""
    return sealed.load(path, kind, migrations.score)


def load_all(folder: Path, kind: type[Score]) -> list[Score]:
    """All that a folder holds, as `load`."""
    return [load(path, kind) for path in sorted(folder.glob("*.json"))]


def write(path: Path, score: Finding | Transfer) -> None:
    """Keep it."""
    sealed.write(path, asdict(score))
