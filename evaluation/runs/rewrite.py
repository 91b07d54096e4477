"""Stored records written anew in the current version: `python -m evaluation migrate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.runs import migrations, records
from retrieval_leaderboard.evaluation.runs.record import Identity, RunRecord
from retrieval_leaderboard.evaluation.tuning import trial_records
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.storage import sealed
from retrieval_leaderboard.support.storage.sealed import DamagedError

SCORED = {"model", "settings", "ndcg"}
"""What a study's score has, and its other records have not"""


def runs(folder: Path) -> int:
    """Bring the runs and the copies of trials in a dataset's `folder` up to date; how many were brought.

    A run's folder is renamed by the digest of what it is. Where two come to the same, the second is named and
    stays as it is, and so does what is damaged.
    """
    written = sum(_run(path, record) for path, record in records.of_board(folder).items())
    for path in sorted(folder.glob("tuning/*.json")):
        copy = records.or_none(trial_records.load, path, trial_records.RESTORE)
        if copy is not None:
            trial_records.write(path, copy)
            written += 1
    return written


def _run(folder: Path, record: RunRecord) -> bool:
    target = folder.with_name(record.stem)
    if _is_taken(folder, target):
        return False
    records.change(folder, record)
    folder.rename(target)
    return True


def _is_taken(path: Path, target: Path) -> bool:
    """Whether something else has the name that `path` is to have, which is then said."""
    taken = target != path and target.exists()
    if taken:
        progress.warn_once(f"{path} would become {target}, which is there already: remove one of them")
    return taken


def scores(folder: Path) -> int:
    """Bring a study's scores anywhere under `folder` up to date, as `runs` does; how many were brought."""
    written = 0
    for path in sorted(folder.rglob("*.json")):
        try:
            found = sealed.read(path)
            if not SCORED <= found.keys():  # Of another study.
                continue
            content = migrations.score(found)
        except DamagedError as error:
            progress.warn_once(f"{error}; it is left as it is")
            continue
        target = _of_score(path, content)
        if _is_taken(path, target):
            continue
        sealed.write(path, {key: value for key, value in content.items() if key != sealed.CHECKSUM})
        path.rename(target)
        written += 1
    return written


def _of_score(path: Path, content: Mapping[str, Any]) -> Path:
    """The file of a score by what it is of; `path` where it does not say all of that."""
    identity = {each.name: content[each.name] for each in fields(Identity) if each.name in content}
    if not all(each.name in identity for each in fields(Identity) if each.default is MISSING):
        return path
    dataset = path.stem.partition(f"-{content['model']}-seed")[0]
    return path.with_name(f"{dataset}-{Identity(**identity).stem}.json")
