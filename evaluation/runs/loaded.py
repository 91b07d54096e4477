"""The data of stored runs, each split of it loaded once."""

from __future__ import annotations

from collections.abc import Callable

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary, RunRecord
from retrieval_leaderboard.support import progress

Loader = Callable[[DatasetSummary], Dataset]
"""Loads the dataset that a record describes"""


class Loaded:
    """Datasets by their split."""

    def __init__(self, load: Loader) -> None:
        self.load = load
        self.datasets: dict[tuple[object, ...], Dataset] = {}

    def of(self, record: RunRecord, name: object) -> Dataset | None:
        """The data of a run; None where it is no longer what the run was about, which is said of `name`.

        Raises:
            InputError: as the loader.
        """
        about = record.dataset
        how = about.protocol, about.exclude_seen, about.split_seed, about.carve, about.ties
        split = *how, about.name, str(about.source)
        if split not in self.datasets:
            self.datasets[split] = self.load(about)
        found = self.datasets[split]
        if found.fingerprint == record.fingerprint:
            return found
        progress.say(
            f"{name}: left as it is, it is about data of fingerprint {record.fingerprint}, and {found.name} "
            f"as loaded has {found.fingerprint}: did its files or its options change?"
        )
        return None
