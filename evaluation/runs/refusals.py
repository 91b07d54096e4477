"""Runs that cannot be are refused together, before the first of them begins."""

from __future__ import annotations

from collections.abc import Iterable

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.models.limits import check_memory
from retrieval_leaderboard.evaluation.runs.runner import Job
from retrieval_leaderboard.support.errors import InputError


def check_data(jobs: Iterable[Job], train: Interactions) -> None:
    """Refuse `jobs` where each lacks something of `train`; where some do, those are left to fail.

    Raises:
        InputError: says what the first one lacks.
    """
    reasons = [lacking_data(job, train) for job in jobs]
    if reasons and all(reasons):
        raise InputError(reasons[0])


def lacking_data(job: Job, train: Interactions) -> str:
    """What `train` lacks for the model of `job` to be fitted, as a sentence; "" where it lacks nothing."""
    return settings.build(job.source.load(), job.settings).lacking_data(train)


def check(jobs: Iterable[Job], dataset: Dataset) -> None:
    """Refuse `jobs` where one of them would take more memory to fit than is free.

    Raises:
        InputError: as `check_memory`.
    """
    checked = []
    for job in jobs:
        kind = job.source, job.settings
        # A warm start looks for itself at what it takes, which is another amount.
        if kind not in checked and job.earlier is None:
            checked.append(kind)
            model = settings.build(job.source.load(), job.settings)
            check_memory(model.resolved(dataset.train, dataset.valid), dataset.train_valid, None)
