"""Metrics of stored runs computed anew from their stored lists: `python -m evaluation score`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import lists
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.evaluation.runs.record import DatasetSummary, RunRecord
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError

Loader = Callable[[DatasetSummary], Dataset]
"""Loads the dataset that a record describes"""


def score(folder: Path, load: Loader) -> int:
    """Score every finished run under a dataset's `folder` that has its lists; how many were scored.

    A dataset is loaded once for all runs with the same split. Runs without lists, with damaged ones, or of
    other data than what `load` gives are named and left as they are.

    Raises:
        InputError: as `load`.
    """
    scored, loaded = 0, dict[tuple[object, ...], Dataset]()
    for run, record in records.of_board(folder).items():
        if not record.is_done or not records.is_whole(run, record):
            continue
        if not (run / records.LISTS).is_file():
            progress.say(f"{run}: left as it is, it came without its lists")
            continue
        about = record.dataset
        split = about.protocol, about.exclude_seen, about.split_seed, about.carve, str(about.source)
        dataset = loaded.get(split) or loaded.setdefault(split, load(about))
        if dataset.fingerprint != record.fingerprint:
            progress.say(
                f"{run}: left as it is, it is about data of fingerprint {record.fingerprint}, and "
                f"{dataset.name} as loaded has {dataset.fingerprint}: did its files or its options change?"
            )
            continue
        records.change(run, rescored(run, record, dataset))
        scored += 1
    return scored


def rescored(run: Path, record: RunRecord, dataset: Dataset) -> RunRecord:
    """The record of the run in the folder `run` with every metric as it is today.

    Raises:
        InputError: the lists do not answer the dataset's test queries.
    """
    with np.load(run / records.LISTS) as stored:
        items = stored["items"]
    try:
        lists.check_shape(items, (len(dataset.test), record.k), dataset.train_valid.n_items)
        lists.check_items(items, dataset.test)
    except lists.InvalidListsError as error:
        raise InputError(f"{run / records.LISTS} cannot be scored: {error}") from error
    found = harness.score(items, dataset, record.k)
    result = replace(record.measured, metrics=found.metrics, slices=tuple(found.slices))
    result = replace(result, curve=tuple(round(value, 6) for value in found.curve))
    return replace(record, result=result)
