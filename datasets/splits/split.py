"""From a log to a dataset: a protocol's parts, with what each query may not be answered with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions, Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.datasets.splits.candidates import catalog
from retrieval_leaderboard.datasets.splits.cold_items import cold_items
from retrieval_leaderboard.datasets.splits.protocols import (
    Parts,
    leave_last_one,
    next_item,
    published,
    random,
    time,
)
from retrieval_leaderboard.support.errors import InputError, unknown

PROTOCOLS: dict[str, Callable[[Log, int], Parts]] = {
    "published": published,
    "random": random,
    "time": time,
    "next-item": next_item,
    "cold-items": cold_items,
    "leave-last-one": leave_last_one,
}
REPEATS = frozenset({"next-item", "cold-items"})
"""Protocols in which an item seen before may come next, so that it may be returned by default."""

RATED = REPEATS
"""Protocols that ask only for items with a rating above `protocols.LIKED`, where there are ratings"""
TIMELESS = frozenset({"random", "published"})
"""Protocols that need no times"""


def excludes_seen(protocol: str) -> bool:
    """Whether a protocol keeps seen items out of the answer where nothing else is asked for."""
    return protocol not in REPEATS


def split(log: Log, protocol: str, exclude_seen: bool, split_seed: int) -> Dataset:
    """Divide `log` by `protocol`.

    Args:
        log: a source as read.
        protocol: a key of `PROTOCOLS`, whose functions say what each does.
        exclude_seen: keep each query's history out of its answer. Truth that the history
            already holds is then no truth, and a query left without any is dropped.
        split_seed: decides all that is random: drawn rows, the order of equal timestamps.

    Raises:
        InputError: an unknown protocol, one that needs what the log has not (timestamps, test
            rows), a negative split seed, or no query or no training interaction left.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    if split_seed < 0:
        raise InputError(f"split seed {split_seed}: give 0 or more")
    log, candidates, unknown_items = catalog(log, protocol)
    parts = PROTOCOLS[protocol](log, split_seed)
    valid, _ = _finish(parts.valid, len(log.item_ids), exclude_seen)
    test, overlap = _finish(parts.test, len(log.item_ids), exclude_seen)
    _check(log, protocol, parts.train, parts.test, test)
    notes = (
        *log.notes,
        *unknown_items,
        *parts.notes,
        *_overlap_note(overlap),
        *_cold_notes(parts.train_valid, test),
    )
    if not len(valid):
        notes += ("no validation queries: too few interactions per user, or in the validation period",)
    return Dataset(
        name=log.name,
        protocol=protocol,
        exclude_seen=exclude_seen,
        split_seed=split_seed,
        train=parts.train,
        valid=valid,
        train_valid=parts.train_valid,
        test=test,
        user_ids=log.user_ids,
        item_ids=log.item_ids,
        title=log.title or log.name,
        synthetic=log.synthetic,
        candidates=candidates,
        notes=notes,
        carve=parts.carve,
    )


def _finish(queries: Queries, n_items: int, exclude_seen: bool) -> tuple[Queries, int]:
    """The queries with their `exclude`, and how many true items stood in it and were removed."""
    if not exclude_seen:
        return queries, 0
    relevant, overlap = _without(queries.relevant, queries.history, n_items)
    queries = replace(queries, exclude=queries.history, relevant=relevant)
    return (queries.take(np.flatnonzero(relevant.lengths)), overlap) if overlap else (queries, 0)


def _without(rows: Ragged, banned: Ragged, n_items: int) -> tuple[Ragged, int]:
    """`rows` without the items of the same row of `banned`, and how many those were."""
    if not len(banned.rows()):
        return rows, 0
    values = rows.compact()[0]
    pair = rows.rows() * n_items + values
    # np.isin takes ten times as long for int64 keys.
    known = np.sort(banned.rows() * n_items + banned.compact()[0])
    at = np.minimum(np.searchsorted(known, pair), len(known) - 1)
    seen = known[at] == pair
    if not seen.any():
        return rows, 0
    lengths = np.bincount(rows.rows()[~seen], minlength=len(rows))
    return Ragged.from_offsets(values[~seen], offsets_of(lengths)), int(seen.sum())


def _check(log: Log, protocol: str, train: Interactions, asked: Queries, test: Queries) -> None:
    where = f"{log.name}, protocol '{protocol}'"
    if len(asked) == 0:
        raise InputError(
            f"{where}: no test query is left: too few interactions per user, in the test period (with items "
            "known before it) or with a rating above 2 (--min-rating draws another line); use more data or "
            "another protocol"
        )
    if len(test) == 0:
        raise InputError(
            f"{where}: no test query is left: every true item is one the user already had; "
            "keep seen items in the answer (--keep-seen) or use another protocol"
        )
    if len(train) == 0:
        raise InputError(
            f"{where}: no training interaction is left before the validation part; "
            "use more data or another protocol"
        )


def _overlap_note(overlap: int) -> tuple[str, ...]:
    if not overlap:
        return ()
    return (f"train and test overlap in {overlap:,} pairs: they are not counted as truth",)


def _cold_notes(train: Interactions, test: Queries) -> tuple[str, ...]:
    users = np.unique(test.user[train.user_counts[test.user] == 0])
    items = np.unique(test.relevant.compact()[0])
    items = items[train.item_counts[items] == 0]
    return tuple(
        f"{len(codes):,} test {kind} without a training interaction"
        for kind, codes in (("users", users), ("items", items))
        if len(codes)
    )
