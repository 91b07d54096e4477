"""Metrics of stored runs computed anew from their stored lists: `python -m evaluation score`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import lists
from retrieval_leaderboard.evaluation.models.saving import RECORD
from retrieval_leaderboard.evaluation.runs import records, runner
from retrieval_leaderboard.evaluation.runs.loaded import Loaded, Loader
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError


def score(folder: Path, load: Loader) -> int:
    """Score every finished run under a dataset's `folder` that has its lists; how many were scored.

    A dataset is loaded once for all runs with the same split. Runs without lists, with damaged ones, or of
    other data than what `load` gives are named and left as they are.

    Raises:
        InputError: as `load`.
    """
    scored, loaded = 0, Loaded(load)
    for run, record in records.of_board(folder).items():
        if not record.is_done or not records.is_whole(run, record):
            continue
        if not (run / records.LISTS).is_file():
            progress.say(f"{run}: left as it is, it came without its lists")
            continue
        if (dataset := loaded.of(record, run)) is None:
            continue
        records.change(run, rescored(run, record, dataset))
        scored += 1
    return scored


def measure_at(run: Path, also: Sequence[int], dataset: Dataset) -> None:
    """Add metrics at other k to a finished run on `dataset`, where its stored lists are long enough."""
    if not also or not runner.is_done(run):
        return
    record = records.load(run / RECORD)
    lacking = [k for k in also if str(k) not in record.measured.at]
    if lacking and max(lacking) <= max(_lengths(record)):
        records.change(run, rescored(run, record, dataset, lacking))


def _lengths(record: RunRecord) -> list[int]:
    """Every k that a finished run has metrics at, the board's first; lists are as long as the largest."""
    return [record.k, *map(int, record.measured.at)]


def rescored(run: Path, record: RunRecord, dataset: Dataset, also: Sequence[int] = ()) -> RunRecord:
    """The record of the run in the folder `run` with every metric as it is today, at `also` too.

    Raises:
        InputError: the lists do not answer the dataset's test queries.
    """
    k, *others = _lengths(record)
    items = stored_lists(run, record, dataset)
    found = harness.score(items, dataset, k, also=[*others, *also])
    at = {str(other): metrics for other, metrics in found.at.items()}
    scored = replace(record.measured, metrics=found.metrics, slices=tuple(found.slices), at=at)
    result = replace(scored, curve=found.curve)
    return replace(record, result=result)


def stored_lists(run: Path, record: RunRecord, dataset: Dataset) -> npt.NDArray[np.int32]:
    """int32[q, longest k]: the item codes that the run in the folder `run` keeps.

    Raises:
        InputError: they do not answer the dataset's test queries.
    """
    with np.load(run / records.LISTS) as stored:
        items: npt.NDArray[np.int32] = stored["items"]
    try:
        lists.check_shape(items, (len(dataset.test), max(_lengths(record))), dataset.train_valid.n_items)
        lists.check_items(items, dataset.test)
    except lists.InvalidListsError as error:
        raise InputError(f"{run / records.LISTS} cannot be scored: {error}") from error
    return items
