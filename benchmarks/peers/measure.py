"""One piece of work by one library: data handed over, the process watched, its lists scored."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from retrieval_leaderboard.benchmarks.peers.environments import ROOT, LeftOut, called
from retrieval_leaderboard.benchmarks.peers.work import Work
from retrieval_leaderboard.datasets import Dataset, Ragged
from retrieval_leaderboard.datasets.ragged import offsets_of
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.runs.environment import processor
from retrieval_leaderboard.evaluation.runs.usage import Usage
from retrieval_leaderboard.support.system import cores

K = 20
FOLDER = Path(__file__).parent


def hand_over(dataset: Dataset, target: Path) -> None:
    """Write the pairs, the queries and the held-out pairs for `adapter.Data`.

    Raises:
        ValueError: a query's history or exclusions are not its user's training items, which some
            libraries could not be asked.
    """
    train, test = dataset.train_valid, dataset.test
    rows = train.by_user.take(test.user.astype(np.int64))
    for given in (test.history, test.exclude):
        if not same_sets(given, rows):
            raise ValueError(f"{dataset.name}: a query's history is not the training row of its user")
    held_out, _ = test.relevant.compact()
    np.savez(
        target,
        user=train.user,
        item=train.item,
        offsets=offsets_of(train.user_counts),
        query=test.user,
        test_query=test.relevant.rows(),
        test_item=held_out,
        n_items=train.n_items,
    )


def same_sets(one: Ragged, other: Ragged) -> bool:
    """Whether each row holds the same items, in whatever order."""
    if not np.array_equal(one.lengths, other.lengths):
        return False
    (left, _), (right, _) = one.compact(), other.compact()
    row = one.rows()
    return np.array_equal(left[np.lexsort((left, row))], right[np.lexsort((right, row))])


def measured(
    python: Path, library: str, work: Work, data: Path, dataset: Dataset, limit: float
) -> dict[str, Any]:
    """Run the adapter of `library` alone and score its lists: the costs and metrics of a record.

    Raises:
        LeftOut: it failed, did not end in `limit` seconds, or returned wrong lists.
    """
    with tempfile.TemporaryDirectory() as scratch:
        target, settings = Path(scratch) / "out", Path(scratch) / "work.json"
        settings.write_text(json.dumps(work.settings))
        command = [str(python), str(FOLDER / f"{library}_peer.py"), str(data), str(settings), str(target)]
        before = Usage.now()
        called(command, limit, environment_of(library))
        busy = Usage.now().cores_elsewhere(before)
        cost = json.loads(target.with_suffix(".json").read_text())
        with np.load(target.with_suffix(".npz")) as arrays:
            items = arrays["items"]
    values = measure.mean(scored(items, dataset))
    return cost | {"recall": values["recall"], "ndcg": values["ndcg"], "cores_elsewhere": round(busy, 2)}


def scored(items: np.ndarray, dataset: Dataset) -> dict[str, np.ndarray]:
    """Metrics of int32[q, 20] lists.

    Raises:
        LeftOut: a list holds a training item of its user, or an item twice.
    """
    if dataset.test.exclude.contains(items).any():
        raise LeftOut("it lists an item of the user's training data")
    ranked = np.sort(items, axis=1)
    if ((ranked[:, 1:] == ranked[:, :-1]) & (ranked[:, 1:] >= 0)).any():
        raise LeftOut("it lists an item twice")
    return measure.per_query(items, dataset.test.relevant, K)


def environment_of(library: str) -> dict[str, str]:
    """All cores for every library; this suite's modules for its own adapter alone."""
    threads = str(cores.available())
    environment = dict(os.environ)
    environment.pop("PYTHONPATH", None)
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        environment[variable] = threads
    if library == "ours":
        environment["PYTHONPATH"] = str(ROOT)
    return environment


def machine() -> tuple[str, str]:
    """The processor with its cores, and the day."""
    return f"{cores.available()} cores of {processor()}", date.today().isoformat()
