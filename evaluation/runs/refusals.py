"""Runs that memory cannot hold are refused together, before the first of them begins."""

from __future__ import annotations

from collections.abc import Iterable

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.models.limits import check_memory
from retrieval_leaderboard.evaluation.runs.runner import Job


def check(jobs: Iterable[Job], dataset: Dataset) -> None:
    """Refuse `jobs` where one of them would take more memory to fit than is free.

    Raises:
        InputError: as `check_memory`.
    """
    for job in jobs:
        if job.seed == 0:
            model = settings.build(job.source.load(), job.settings)
            check_memory(model.resolved(dataset.train, dataset.valid), dataset.train_valid, None)
