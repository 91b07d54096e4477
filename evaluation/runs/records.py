"""The stored runs of a board: what is whole is read, what is damaged is named and left out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from retrieval_leaderboard.evaluation.metrics.accuracy import METRICS
from retrieval_leaderboard.evaluation.models.saving import RECORD
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.support import sealed
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.sealed import DamagedError

LISTS, FILES = "lists.npz", "files"
"""The lists of a run; and the key of a record that holds the digests of the files beside it."""
DATASET: sealed.Form = {
    "name": str, "title": str, "synthetic": bool, "protocol": str, "exclude_seen": bool, "split_seed": int,
    "users": int, "items": int, "train_valid_interactions": int, "test_queries": int, "test_items": int,
    "notes": [str],
}  # fmt: skip
ANY: sealed.Form = {
    "fingerprint": str, "k": int, "model": str, "code": str, "settings": dict, "seed": int, "device": str,
    "precision": str, "dataset": DATASET, "chosen": dict, "status": str, "date": str,
}  # fmt: skip
FAILED: sealed.Form = {"reason": str}
DONE: sealed.Form = {
    "metrics": dict.fromkeys(METRICS, float), "slices": [{"slice": str, "queries": int}],
    "fit_seconds": float, "recommend_seconds": float, "queries_per_second": float, "peak_rss_mib": float,
    "peak_gpu_mib": float, "parameters": int | None, "threads": int, "processor": str,
}  # fmt: skip
OPTIONAL = {"metrics": dict, "training": [dict], "choosing": [dict], FILES: dict}
SCORED: sealed.Form = {"recall": float, "ndcg": float}


def of_board(folder: Path) -> dict[Path, dict[str, Any]]:
    """Folder → record of every run of a board; runs that are damaged are told and left out."""
    found = ((path, read(path)) for path in sorted(folder.glob("runs/[!.]*")))
    return {path: record for path, record in found if record is not None}


def read(folder: Path) -> dict[str, Any] | None:
    """The record of the run in `folder`; None where there is none, or a damaged one, which is told."""
    return beside(folder / RECORD, ANY, _check)


def beside(
    path: Path, form: sealed.Form, check: Callable[[Path, dict[str, Any]], None] = lambda *_: None
) -> dict[str, Any] | None:
    """What a JSON file of a run holds; None where there is none, or a damaged one, which is told."""
    try:
        content = sealed.read(path, form)
        check(path, content)
        return content
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (DamagedError, OSError) as error:
        tell(f"{error}; it is left out: run the model again, or remove the folder")
        return None


def write(folder: Path, record: dict[str, Any]) -> None:
    """Keep `record`, with the digests of all files that lie in `folder` by now."""
    others = {name: value for name, value in sealed.digests(folder).items() if name != RECORD}
    sealed.write(folder / RECORD, record | {FILES: others})


def change(folder: Path, record: dict[str, Any]) -> None:
    """Keep a record that was read and changed; what it says of the files beside it stays."""
    sealed.write(folder / RECORD, record)


def is_whole(folder: Path, record: dict[str, Any]) -> bool:
    """Whether the files beside the record are those that were written; a damaged one is told."""
    try:
        sealed.check(folder, record.get(FILES, {}), record.get(FILES, {}))
    except (DamagedError, OSError) as error:
        tell(f"{error}; the run counts as not done")
        return False
    return True


def _check(path: Path, record: dict[str, Any]) -> None:
    """What the form of a record alone cannot say; DamagedError as `sealed.read`."""
    done = record["status"] == "done"
    odd = sealed.misfit(record, DONE if done else FAILED)
    odd = odd or sealed.misfit(record, {key: form for key, form in OPTIONAL.items() if key in record})
    if done and not odd:
        odd = _odd_number(record["metrics"], "metrics")
        for part in record["slices"]:
            odd = odd or sealed.misfit(part, SCORED if part["queries"] else {}, "slices")
            odd = odd or _odd_number({key: part[key] for key in part if key != "slice"}, "slices")
    if odd:
        raise DamagedError(
            f"{path} is damaged, or of another version: its {odd} is absent or of another kind"
        )
    if FILES in record and sealed.CHECKSUM not in record:
        raise DamagedError(f"{path} is damaged: it has no checksum")
    try:
        configs.chosen_of(record["chosen"], "chosen")
    except InputError as error:
        raise DamagedError(f"{path} is damaged, or of another version: {error}") from error


def _odd_number(values: dict[str, Any], where: str) -> str:
    """The first of `values` that is no number; "" where all are."""
    return sealed.misfit(values, dict.fromkeys(values, float), where)


@cache
def tell(sentence: str) -> None:
    """Once a command: tables are derived after each run."""
    print(f"warning: {sentence}", file=sys.stderr, flush=True)
