"""Stored records written anew in the current version: `python -m evaluation migrate`."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path

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
        copy = records.or_none(trial_records.load, path)
        if copy is not None:
            trial_records.write(path, copy)
            written += 1
    return written


def _run(folder: Path, record: RunRecord) -> bool:
    target = folder.with_name(record.stem)
    if target != folder and target.exists():
        progress.warn_once(f"{folder} would become {target}, which is there already: remove one of them")
        return False
    records.change(folder, record)
    folder.rename(target)
    return True


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
        sealed.write(path, {key: value for key, value in content.items() if key != sealed.CHECKSUM})
        identity = {each.name: content[each.name] for each in fields(Identity) if each.name in content}
        if all(each.name in identity for each in fields(Identity) if each.default is MISSING):
            dataset = path.stem.partition(f"-{content['model']}-seed")[0]
            path.rename(path.with_name(f"{dataset}-{Identity(**identity).stem}.json"))
        written += 1
    return written
