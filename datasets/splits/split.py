"""From a log to a dataset: a protocol's parts, with what each query may not be answered with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions, Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import candidates, validation
from retrieval_leaderboard.datasets.splits.protocol import LIKED, Parts, Protocol
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS
from retrieval_leaderboard.support.errors import InputError, unknown


def split(log: Log, protocol: str, exclude_seen: bool, split_seed: int) -> Dataset:
    """Divide `log` by `protocol`.

    Args:
        log: a source as read.
        protocol: a key of `PROTOCOLS`, whose `split` says what it does.
        exclude_seen: keep each query's history out of its answer. Truth that the history
            already holds is then no truth, and a query left without any is dropped.
        split_seed: decides all that is random: drawn rows, the order of equal timestamps.

    Raises:
        InputError: an unknown protocol, one that needs what the log has not (timestamps, test
            rows), a negative split seed, or no query or no training interaction left.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    rule = PROTOCOLS[protocol]
    _check_log(log, rule, split_seed)
    catalog = candidates.known_before_test if rule.timeline else candidates.all_taken
    log, in_words, unknown_items = catalog(log)
    parts = _alike(rule.split(log, split_seed))
    valid, _ = _finish(parts.valid, exclude_seen)
    test, overlap = _finish(parts.test, exclude_seen)
    _check_parts(log, protocol, parts.train, parts.test, test)
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
        candidates=in_words,
        notes=notes,
        carve=parts.carve,
        validation=validation.describe(protocol, parts.carve),
    )


def _check_log(log: Log, rule: Protocol, split_seed: int) -> None:
    if split_seed < 0:
        raise InputError(f"split seed {split_seed}: give 0 or more")
    if rule.timed and log.moment is None:
        raise InputError(
            f"{log.name}: protocol '{rule.name}' needs a timestamp column, and there is none; "
            "name one by --columns timestamp=NAME or choose a protocol without time"
        )


def _alike(parts: Parts) -> Parts:
    """Without weights, where every one is 1."""
    weights = [each.weight for each in (parts.train, parts.train_valid) if each.weight is not None]
    if not weights or any((each != 1).any() for each in weights):
        return parts
    train, train_valid = (replace(each, weight=None) for each in (parts.train, parts.train_valid))
    return replace(parts, train=train, train_valid=train_valid)


def _finish(queries: Queries, exclude_seen: bool) -> tuple[Queries, int]:
    """The queries with their `exclude`, and how many true items stood in it and were removed."""
    if not exclude_seen:
        return queries, 0
    relevant = queries.relevant.without(queries.history)
    overlap = int(queries.relevant.lengths.sum() - relevant.lengths.sum())
    queries = replace(queries, exclude=queries.history, relevant=relevant)
    return (queries.take(np.flatnonzero(relevant.lengths)), overlap) if overlap else (queries, 0)


def _check_parts(log: Log, protocol: str, train: Interactions, asked: Queries, test: Queries) -> None:
    where = f"{log.name}, protocol '{protocol}'"
    of_target = "" if log.target is None else " of a target event"
    if len(asked) == 0:
        raise InputError(
            f"{where}: no test query is left: too few interactions{of_target} per user, in the test period "
            f"(with items known before it) or with a rating above {LIKED:g} (--min-rating draws another "
            "line); use more data or another protocol"
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
