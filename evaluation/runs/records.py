"""Stored runs: what is whole is read, whatever version wrote it; what is damaged is named and left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from retrieval_leaderboard.evaluation.models.saving import RECORD
from retrieval_leaderboard.evaluation.runs import migrations
from retrieval_leaderboard.evaluation.runs.provenance import WAYS
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.storage import checksums, sealed
from retrieval_leaderboard.support.storage.sealed import DamagedError

LISTS = "lists.npz"
"""The lists of a run, and each query's metrics"""
NEEDED = ("recall", "ndcg")
"""Metrics that pages rank and compare by; others may be absent from records of earlier versions"""
RUN_AGAIN = "run the model again, or remove the folder"
"""What to do about a record of a run that is damaged"""

Made = TypeVar("Made")


def of_board(folder: Path) -> dict[Path, RunRecord]:
    """Folder → record of every run of a board; runs that are damaged are named and left out."""
    found = ((path, read(path)) for path in sorted(folder.glob("runs/[!.]*")))
    return {path: record for path, record in found if record is not None}


def read(folder: Path) -> RunRecord | None:
    """The record of the run in `folder`; None where there is none, or a damaged one, which is named."""
    return or_none(load, folder / RECORD)


def load(path: Path) -> RunRecord:
    """The record that a file holds; DamagedError or OSError as `sealed.load`."""
    record = sealed.load(path, RunRecord, migrations.run)
    if odd := _contradiction(record):
        raise DamagedError(f"{path} is damaged, or of another version: {odd}")
    return record


def or_none(load: Callable[[Path], Made], path: Path, advice: str = RUN_AGAIN) -> Made | None:
    """What a file holds; None where there is none, or a damaged one, which is named with `advice`."""
    try:
        return load(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (DamagedError, OSError) as error:
        progress.warn_once(f"{error}; it is left out: {advice}")
        return None


def write(folder: Path, record: RunRecord) -> None:
    """Keep `record`, with the digests of all files that lie in `folder` by now."""
    others = {name: value for name, value in checksums.digests(folder).items() if name != RECORD}
    change(folder, replace(record, files=others))


def change(folder: Path, record: RunRecord) -> None:
    """Keep a record that was read and changed; what it says of the files beside it stays."""
    sealed.write(folder / RECORD, as_json(record))


def as_json(record: RunRecord) -> dict[str, object]:
    """As it is kept, without its checksum."""
    return asdict(record) | {"provenance": record.provenance.as_dict()}


def is_whole(folder: Path, record: RunRecord, *names: str) -> bool:
    """Whether all files beside the record, or `names`, are as they were written; a damaged one is named."""
    try:
        checksums.check(folder, record.files, names or record.files)
    except (DamagedError, OSError) as error:
        progress.warn_once(f"{error}; the run counts as not done")
        return False
    return True


def _contradiction(record: RunRecord) -> str:
    """What types alone cannot say; "" where all is well."""
    if record.provenance.by not in WAYS:
        return f"its settings came about by '{record.provenance.by}'"
    if record.result is None:
        return "" if record.reason else "it has neither a result nor a reason"
    parts = [record.result.metrics, *(part.metrics for part in record.result.slices if part.queries)]
    lacking = next((name for part in parts for name in NEEDED if name not in part), "")
    return f"it lacks {lacking}" if lacking else ""
