"""The lists of a stored run with raw ids: Parquet, CSV, or a TREC run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.exchange import coding, trec
from retrieval_leaderboard.evaluation.runs import records, rescore
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import atomic_file

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".csv", *trec.SUFFIXES)
MISSED = "not-in-catalog-"
"""What begins the id written for an item that the catalog lacked, before its rank"""


def check_source(run: Path, record: RunRecord) -> None:
    """InputError where the run in the folder `run` has no lists, or damaged ones."""
    if not (run / records.LISTS).is_file():
        raise InputError(f"{run} came without its lists: run the model again")
    if not records.is_whole(run, record, records.LISTS):
        raise InputError(f"{run / records.LISTS} is damaged: run the model again")


def stored(run: Path, record: RunRecord, dataset: Dataset) -> npt.NDArray[np.int32]:
    """As `rescore.stored_lists`.

    Raises:
        InputError: they do not answer the dataset's test queries.
    """
    if dataset.fingerprint != record.fingerprint:
        raise InputError(
            f"{run} is about data of fingerprint {record.fingerprint}, and {dataset.name} as loaded has "
            f"{dataset.fingerprint}: did its files or its options change?"
        )
    return rescore.stored_lists(run, record, dataset)


def table(items: npt.NDArray[np.int32], dataset: Dataset) -> pd.DataFrame:
    """A row for each position of int32[q, k] lists up to their last item: user, query, rank (from 1), item.

    Users and items are raw ids; an empty position before others, whose item the catalog lacked, has an id
    that stands for it, or the items after it would move up.
    """
    import pandas as pd

    filled = items >= 0
    query, position = np.nonzero(np.logical_or.accumulate(filled[:, ::-1], axis=1)[:, ::-1])
    users = np.asarray(dataset.user_ids, dtype=object)[dataset.test.user]
    item = np.asarray(dataset.item_ids, dtype=object)[items[query, position]]
    if (missed := ~filled[query, position]).any():
        item = item.astype(str).astype(object)
        item[missed] = [f"{MISSED}{each + 1}" for each in position[missed]]
    return pd.DataFrame({"user": users[query], "query": query, "rank": position + 1, "item": item})


def check_target(out: Path) -> None:
    """InputError where the name of a file says no format of SUFFIXES."""
    if out.suffix.lower() not in SUFFIXES:
        raise InputError(f"--out {out}: its name must end in {', '.join(SUFFIXES)}")


def write(out: Path, items: npt.NDArray[np.int32], dataset: Dataset, tag: str) -> int:
    """Write int32[q, k] lists to the file `out`, in the format of its name; how many rows.

    A TREC run names a query by its user, or by its number where users have several.

    Raises:
        InputError: as `check_target`, or an id that the format cannot hold.
    """
    check_target(out)
    rows = table(items, dataset)
    with atomic_file(out) as scratch:
        if out.suffix.lower() == ".parquet":
            rows.to_parquet(scratch, index=False, compression="zstd")
        elif out.suffix.lower() == ".csv":
            rows.to_csv(scratch, index=False)
        else:
            qid = rows["query"].astype(str) if coding.several_queries(dataset) else rows["user"]
            with scratch.open("w", encoding="utf-8") as file:
                trec.write(file, rows.assign(qid=qid), tag)
    return len(rows)
