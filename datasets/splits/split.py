"""From a log to a dataset: a protocol's parts, with what each query may not be answered with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset, Interactions, Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import candidates, validation
from retrieval_leaderboard.datasets.splits.candidates import Catalog
from retrieval_leaderboard.datasets.splits.order import SOURCE
from retrieval_leaderboard.datasets.splits.protocol import LIKED, Parts, Protocol
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS
from retrieval_leaderboard.datasets.splits.whole import Whole
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.storage.mapped import blocks, loaded

Join = Callable[[Iterator[tuple[int, Parts]]], Parts]
"""The first user and the parts, codes of users from 0, of each of `Log.parts` → those of the whole log"""


@dataclass(frozen=True)
class Work:
    """What splitting comes to for each part of a log, wherever it is done."""

    rule: Protocol
    whole: Whole
    catalog: Catalog
    exclude_seen: bool

    def of(self, first: int, end: int) -> Parts:
        """The parts of the users from `first` to before `end`, whose codes begin at 0."""
        part = self.whole.log.of_users(first, end)
        parts = self.rule.split(part.with_rows(self.catalog.kept, self.catalog.log), self.whole)
        return _finish(parts, self.exclude_seen)


Deal = Callable[[Work], Iterator[tuple[int, Parts]]]
"""Has the work done for all of `Log.stretches`; the first user and the parts of each, in order"""

OVERLAP = "train and test overlap in {:,} pairs: they are not counted as truth"
WITHOUT_TRUTH = "{:,} test queries have no other truth and are left out; with seen items kept they are asked"


def in_turn(work: Work) -> Iterator[tuple[int, Parts]]:
    """All parts here, one after the other."""
    return ((first, work.of(first, end)) for first, end in work.whole.log.stretches())


def split(
    log: Log,
    protocol: str,
    exclude_seen: bool,
    split_seed: int,
    join: Join = lambda parts: next(parts)[1],
    deal: Deal = in_turn,
) -> Dataset:
    """Divide `log` by `protocol`.

    Args:
        log: a source as read.
        protocol: a key of `PROTOCOLS`, whose `split` says what it does.
        exclude_seen: keep each query's history out of its answer. Truth that the history
            already holds is then no truth, and a query left without any is dropped.
        split_seed: decides all that is random: drawn rows, and ties where `log.ties` has them drawn.
        join: puts together what a log that stands by user comes to part by part; without it, its rows must
            be few enough to be one part.
        deal: where the parts are made.

    Raises:
        InputError: an unknown protocol, one that needs what the log has not (timestamps, test
            rows), a negative split seed, or no query or no training interaction left.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    rule = PROTOCOLS[protocol]
    _check_log(log, rule, split_seed)
    catalog = (candidates.known_before_test if rule.timeline else candidates.all_taken)(log)
    whole = Whole(log, split_seed, catalog.periods, catalog.known)
    parts = _without_idle(join(deal(Work(rule, whole, catalog, exclude_seen))))
    _check_parts(log, protocol, parts)
    notes = (
        *log.notes,
        *catalog.notes,
        *(words.format(count) for words, count in parts.counted.items()),
        *_cold_notes(parts.train_valid, parts.test),
    )
    if not len(parts.valid):
        notes += ("no validation queries: too few interactions per user, or in the validation period",)
    return Dataset(
        name=log.name,
        protocol=protocol,
        exclude_seen=exclude_seen,
        split_seed=split_seed,
        train=_described(parts.train, catalog.log),
        valid=parts.valid,
        train_valid=_described(parts.train_valid, catalog.log),
        test=parts.test,
        user_ids=log.user_ids,
        item_ids=catalog.log.item_ids,
        title=log.title or log.name,
        synthetic=log.synthetic,
        candidates=catalog.words,
        notes=notes,
        carve=parts.carve,
        ties=log.ties if rule.sequential else "",
        validation=validation.describe(protocol, parts.carve),
    )


def _described(rows: Interactions, log: Log) -> Interactions:
    """`rows` with the features of users and items."""
    return replace(rows, user_features=log.user_features, item_features=log.item_features)


def _check_log(log: Log, rule: Protocol, split_seed: int) -> None:
    if split_seed < 0:
        raise InputError(f"split seed {split_seed}: give 0 or more")
    if rule.timed and log.moment is None:
        raise InputError(
            f"{log.name}: protocol '{rule.name}' needs a timestamp column, and there is none; "
            "name one by --columns timestamp=NAME or choose a protocol without time"
        )
    if rule.sequential and log.ties == SOURCE and not log.ordered:
        raise InputError(
            f"{log.name}: --ties {SOURCE} needs rows in the order in which they happened, and the files do "
            "not tell it; leave it out"
        )


def _without_idle(parts: Parts) -> Parts:
    """Without weights where every one is 1, and without last times where they are the first ones."""
    tables = parts.train, parts.train_valid
    weighted = any(_differ(each.weight, None) for each in tables)
    repeated = any(_differ(each.last_timestamp, each.timestamp) for each in tables)
    train, train_valid = (
        replace(
            each,
            weight=each.weight if weighted else None,
            last_timestamp=each.last_timestamp if repeated else None,
        )
        for each in tables
    )
    return replace(parts, train=train, train_valid=train_valid)


def _differ(ones: npt.NDArray[Any] | None, others: npt.NDArray[Any] | None) -> bool:
    """Whether any of `ones` is unlike that of `others`, or unlike 1."""
    if ones is None:
        return False
    return any(
        (loaded(ones[some]) != (1 if others is None else loaded(others[some]))).any()
        for some in blocks(len(ones))
    )


def _finish(parts: Parts, exclude_seen: bool) -> Parts:
    """The parts whose queries have their `exclude`; true items that stood in it are removed and counted."""
    if not exclude_seen:
        return replace(parts, asked=len(parts.test))
    valid, test = _without_seen(parts.valid), _without_seen(parts.test)
    overlap = int(parts.test.relevant.lengths.sum() - test.relevant.lengths.sum())
    counts = {OVERLAP: overlap, WITHOUT_TRUTH: len(parts.test) - len(test)}
    counted = parts.counted | {words: count for words, count in counts.items() if count}
    return replace(parts, valid=valid, test=test, counted=counted, asked=len(parts.test))


def _without_seen(queries: Queries) -> Queries:
    relevant = queries.relevant.without(queries.history)
    removed = relevant is not queries.relevant
    queries = replace(queries, exclude=queries.history, relevant=relevant)
    return queries.take(np.flatnonzero(relevant.lengths)) if removed else queries


def _check_parts(log: Log, protocol: str, parts: Parts) -> None:
    where = f"{log.name}, protocol '{protocol}'"
    of_target = "" if log.target is None else " of a target event"
    line = " (--min-rating draws another line)" if log.reading else ""
    or_else = "" if PROTOCOLS[protocol].own_test else " or another protocol"
    if not parts.asked:
        raise InputError(
            f"{where}: no test query is left: too few interactions{of_target} per user, in the test period "
            f"(with items known before it) or with a rating above {LIKED:g}{line}; use more data{or_else}"
        )
    if not len(parts.test):
        raise InputError(
            f"{where}: no test query is left: every true item is one the user already had; "
            f"give --keep-seen{or_else}"
        )
    if not len(parts.train):
        raise InputError(
            f"{where}: no training interaction is left before the validation part; use more data{or_else}"
        )


def _cold_notes(train: Interactions, test: Queries) -> tuple[str, ...]:
    cold = {
        "users": _asked_for(test.user, train.n_users) & (train.user_counts == 0),
        "items": _asked_for(test.relevant.compact()[0], train.n_items) & (train.item_counts == 0),
    }
    return tuple(
        f"{int(codes.sum()):,} test {kind} without a training interaction"
        for kind, codes in cold.items()
        if codes.any()
    )


def _asked_for(codes: npt.NDArray[np.int32], n: int) -> npt.NDArray[np.bool_]:
    """bool[n]: which codes occur."""
    found = np.zeros(n, dtype=np.bool_)
    found[codes] = True
    return found
