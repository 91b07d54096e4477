"""Someone else's lists as a run of its own, beside those of the suite's models."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.exchange import coding, reading
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.runs import environment, records, runner
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.runs.record import UNKNOWN_COSTS, DatasetSummary, Result, RunRecord
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import atomic_folder, contents, writing


@dataclass(frozen=True)
class Given:
    """A file of lists, and what its row is to be called."""

    path: Path
    name: str
    seed: int
    k: int
    columns: dict[str, str]
    """As for `reading.read`"""

    def check(self) -> None:
        """InputError for a name that is none, or that of a model of this suite; for a seed below 0; or where
        there is no file.
        """
        if not re.fullmatch(r"(?![.])[A-Za-z0-9_.-]*[A-Za-z0-9_-]", self.name):
            raise InputError(
                f"--name '{self.name}': call the row by letters, digits, '_' and '-', with '.' between them"
            )
        if self.name in registry.names():
            raise InputError(f"--name {self.name}: a model of this suite is called so; choose another name")
        if self.seed < 0:
            raise InputError(f"--seed {self.seed}: number the files of one model from 0")
        if not self.path.is_file():
            raise InputError(f"{self.path}: there is no such file of lists")


def keep(given: Given, dataset: Dataset, board: Path) -> RunRecord:
    """Score the lists and keep them as a run under the folder `board`; one of that name and seed is replaced.

    Raises:
        InputError: as `Given.check`, `reading.read`, `coding.coded` and `harness.length`.
    """
    given.check()
    k = harness.length(given.k, dataset)
    entries = reading.read(given.path, given.columns, coding.several_queries(dataset))
    lists = coding.coded(entries, dataset, k)
    found = harness.score(lists.items, dataset, k)
    digest = hashlib.blake2b(contents(given.path), digest_size=6).hexdigest()
    now = datetime.now(UTC)
    record = RunRecord(
        fingerprint=dataset.fingerprint,
        k=k,
        model=given.name,
        code="",
        settings={},
        seed=given.seed,
        device="",
        precision="",
        dataset=DatasetSummary.of(dataset),
        provenance=Provenance(
            "lists", date=f"{now:%Y-%m-%d}", note=f"{given.path.name}, digest {digest}{_lacking(lists)}"
        ),
        resolved={},
        result=Result(found.metrics, tuple(found.slices), UNKNOWN_COSTS, False, False, (), curve=found.curve),
        date=now.strftime("%Y-%m-%d %H:%M UTC"),
        versions=environment.versions(),
        commit=environment.git_commit(),
    )
    with atomic_folder(board / "runs" / record.stem) as scratch:
        with writing(scratch):
            runner.save_lists(found, scratch)
        records.write(scratch, record)
    return record


def _lacking(lists: coding.Lists) -> str:
    """What is missing in lists, for a note; "" where nothing is."""
    told = ""
    if lists.unanswered:
        told += f"; {lists.unanswered:,} of {len(lists.items):,} test queries have no list"
    if lists.unknown:
        told += f"; {lists.unknown:,} of {lists.listed:,} listed items are not in the catalog"
    return told
