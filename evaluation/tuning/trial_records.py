"""The copy of a search's trials that stands beside the runs of its board."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.runs import migrations, records
from retrieval_leaderboard.support.storage import sealed
from retrieval_leaderboard.support.storage.sealed import DamagedError

FOLDER = "tuning"
RESTORE = "restore it, or remove it"
"""What to do about a copy that is damaged"""


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


def keep(path: Path, record: TuningRecord) -> None:
    """Write it, unless a copy with the same trials is there; one with others is set aside."""
    copy = records.or_none(load, path, RESTORE)
    known = () if copy is None else copy.trials
    if any(map(_differ, known, record.trials)):
        set_aside(path)
        known = ()
    if len(known) < len(record.trials):
        write(path, record)


def _differ(one: TrialRecord, other: TrialRecord) -> bool:
    return sealed.plain(asdict(one)) != sealed.plain(asdict(other))


def place(board: Path, name: str) -> Path:
    """Where the copy of the search `name` lies under the board's folder."""
    return board / FOLDER / f"{name}.json"


def set_aside(path: Path) -> None:
    """Give a copy another name, where there is one; a damaged copy is then none any longer."""
    if path.is_file():
        kind = "damaged" if records.or_none(load, path, RESTORE) is None else "json"
        names = (path.with_suffix(f".{number}.{kind}") for number in itertools.count(1))
        path.rename(next(name for name in names if not name.exists()))


def of_boards(boards: Iterable[Path], fingerprint: str, model: str) -> list[TrialRecord]:
    """Every trial of the model on this validation part that has a copy under `boards`, of whatever search.

    Raises:
        DamagedError: a copy is not of its form.
    """
    asked: list[TuningRecord] = []
    for board in boards:
        found = [_whole(path) for path in sorted(board.glob(f"{FOLDER}/*.json"))]
        # A board whose folder was copied has the same searches.
        new = [copy for copy in found if copy not in asked]
        asked += [copy for copy in new if (copy.fingerprint, copy.model) == (fingerprint, model)]
    return [trial for copy in asked for trial in copy.trials]


def _whole(path: Path) -> TuningRecord:
    try:
        return load(path)
    except DamagedError as error:
        raise DamagedError(
            f"{error}: {RESTORE}, without the trials that it counts, and give the command again; "
            "trials that were made by now stay"
        ) from error
