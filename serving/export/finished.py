"""A finished run of any model, and the model that it fitted."""

from __future__ import annotations

from pathlib import Path

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.support.errors import InputError


def opened(
    run: Path, dataset: Dataset, model_class: type[Retriever] | None = None
) -> tuple[RunRecord, Retriever]:
    """The record and the model of a finished run on `dataset`.

    Args:
        run: the run's folder.
        dataset: what it was trained on.
        model_class: the model's class, for one that is not registered.

    Raises:
        InputError: no finished run, another dataset, an unknown model, or no weights.
    """
    record = records.read(run)
    if record is None or not record.is_done:
        raise InputError(f"{run} holds no finished run: give a folder of results/<dataset>/runs")
    if record.fingerprint != dataset.fingerprint:
        raise InputError(
            f"{run} was trained on data of fingerprint {record.fingerprint}, and {dataset.name} as loaded "
            f"has {dataset.fingerprint}: give what the run was made with"
        )
    if model_class is None:
        try:
            model_class = registry.get(record.model)
        except InputError as error:
            raise InputError(f"{error}; a class of your own is given by --model FILE.py:CLASS") from error
    return record, model_class.load(run)
