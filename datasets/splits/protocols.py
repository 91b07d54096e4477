"""Which interactions are learned from and which are asked for: one function per protocol.

A protocol gives every query its whole truth; what may be returned is decided in `splits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of
from retrieval_leaderboard.datasets.splits.candidates import known_at
from retrieval_leaderboard.datasets.splits.holdout import AS_TEST, DRAW, STRETCH, draw, lie_together, stretch
from retrieval_leaderboard.datasets.splits.periods import moments, periods
from retrieval_leaderboard.support.errors import InputError

VALID_PERCENT = 10
TEST_PERCENT = 20
LAST_EVENTS = 3
LIKED = 2.0

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """A log in four parts; queries have their histories, and nothing in `exclude` yet."""

    train: Interactions
    valid: Queries
    train_valid: Interactions
    test: Queries
    notes: tuple[str, ...] = ()
    carve: str = ""
    """How validation was carved from each user's rows; "" where times or events decide"""


def published(log: Log, seed: int) -> Parts:
    """The source's own test rows; validation is a fifth of each user's others, carved as `log.carve` says.

    They are drawn one by one; by `AS_TEST` they are one stretch of neighboring rows where the source's test
    rows lie together more often than a draw would put them: validation then depends on what is test.
    """
    if log.held_out is None:
        raise InputError(
            f"{log.name}: protocol 'published' needs the source's own test file, and there is none; "
            "choose another protocol"
        )
    order = _by_user(log)
    held = log.held_out[order]
    together = log.carve == AS_TEST and lie_together(log.user[order], log.item[order], held)
    carve = STRETCH if together else DRAW
    rng = np.random.default_rng(seed)
    return _static(log, order[~held], order[held], carve=carve, percent=TEST_PERCENT, rng=rng, notes=())


def random(log: Log, seed: int) -> Parts:
    """A fifth of each user's items is test and a tenth of the rest validation, drawn by `seed`."""
    rng = np.random.default_rng(seed)
    order = _by_user(log)
    rows = _distinct(log, order)
    held = draw(log.user[rows], TEST_PERCENT, rng)
    notes = _duplicates(len(order) - len(rows))
    return _static(log, rows[~held], rows[held], carve=DRAW, percent=VALID_PERCENT, rng=rng, notes=notes)


def time(log: Log, seed: int) -> Parts:
    """A global timeline: one query for each user of a period, with all that came before it as history.

    The moment of a query, and where it is asked, are those of the user's first interaction of the period.
    A validation query asks for items that are known when the validation period begins, as a test query does
    for those known before the test period.
    """
    valid_from, test_from = periods(log)
    moment = moments(log, "time")
    order = _by_user(log)
    before = order[moment[order] < test_from]
    rows = _distinct(log, before)
    learned = rows[moment[rows] < valid_from]
    train, train_valid = _interactions(log, learned), _interactions(log, rows)
    between = order[(moment[order] >= valid_from) & (moment[order] < test_from)]
    valid = _distinct(log, between[known_at(log, valid_from)[log.item[between]]])
    test = _distinct(log, order[moment[order] >= test_from])
    return Parts(
        train,
        _per_user(log, valid, train.by_user, timed=True),
        train_valid,
        _per_user(log, test, train_valid.by_user, timed=True),
        _duplicates(len(before) - len(rows)),
    )


def next_item(log: Log, seed: int) -> Parts:
    """The last three events of each user are test queries, the three before them validation.

    The history of a query is all that came before it, earlier test items included; it counts where
    its rating is above 2, or where there are no ratings. Each user's first event stays in training:
    with fewer than seven events there are fewer validation queries, with fewer than four also fewer
    test queries. Equal timestamps stand in one order drawn by `seed`, for history and split alike.
    """
    left = np.maximum(_events(log) - 1, 0)  # (users,)
    n_test = np.minimum(left, LAST_EVENTS)
    return _last(log, "next-item", n_test, np.minimum(left - n_test, LAST_EVENTS), seed, LIKED)


def leave_last_one(log: Log, seed: int) -> Parts:
    """The last event of each user is a test query and the one before it a validation query.

    Users with fewer than three events are only learned from. Equal timestamps stand in an order
    drawn by `seed`.
    """
    one = (_events(log) >= 3).astype(np.int64)  # (users,)
    return _last(log, "leave-last-one", one, one, seed, None)


def _static(
    log: Log,
    train_valid: Rows,
    test: Rows,
    *,
    carve: str,
    percent: int,
    rng: np.random.Generator,
    notes: tuple[str, ...],
) -> Parts:
    """One query per user, its history the user's training row; both `Rows` sorted by user.

    `carve` takes `percent` of `train_valid` for validation.
    """
    rows = _distinct(log, train_valid)
    carved = (stretch if carve == STRETCH else draw)(log.user[rows], percent, rng)
    train, full = _interactions(log, rows[~carved]), _interactions(log, rows)
    return Parts(
        train,
        _per_user(log, rows[carved], train.by_user, timed=False),
        full,
        _per_user(log, _distinct(log, test), full.by_user, timed=False),
        _duplicates(len(train_valid) - len(rows)) + notes,
        carve,
    )


def _last(
    log: Log,
    protocol: str,
    n_test: npt.NDArray[np.int64],
    n_valid: npt.NDArray[np.int64],
    seed: int,
    above: float | None,
) -> Parts:
    """Each user's last events as queries; `above` is the rating an event needs to count as one."""
    moment = moments(log, protocol)
    tie = np.random.default_rng(seed).permutation(len(log.user))
    order = np.lexsort((tie, moment, log.user))
    user = log.user[order]
    offsets = offsets_of(np.bincount(log.user, minlength=len(log.user_ids)))
    from_end = offsets[user + 1] - 1 - np.arange(len(order))  # 0 is a user's last event
    is_test = from_end < n_test[user]
    is_valid = ~is_test & (from_end < (n_test + n_valid)[user])
    liked = np.ones(len(order), dtype=bool)
    if above is not None and log.rating is not None:
        liked = log.rating[order] > above
    rows = _distinct(log, order[~is_test])
    learned = _distinct(log, order[~is_test & ~is_valid])
    item = log.item[order]
    disliked = int((is_test & ~liked).sum())
    notes = (f"{disliked:,} test interactions with a low rating are no queries",) if disliked else ()
    return Parts(
        _interactions(log, learned),
        _per_event(log, order, item, np.flatnonzero(is_valid & liked), offsets),
        _interactions(log, rows),
        _per_event(log, order, item, np.flatnonzero(is_test & liked), offsets),
        _duplicates(int((~is_test).sum()) - len(rows)) + notes,
    )


def _per_event(
    log: Log, order: Rows, item: npt.NDArray[np.int32], at: Rows, offsets: npt.NDArray[np.int64]
) -> Queries:
    """A query for each position `at` of the log in `order`; all rows are views of `item`, in that order."""
    rows = order[at]
    user = log.user[rows]
    history = Ragged(item, offsets[user], at)
    return Queries(
        user, history, Ragged.empty(len(at)), Ragged(item, at, at + 1), **_when_and_where(log, rows)
    )


def _per_user(log: Log, rows: Rows, histories: Ragged, timed: bool) -> Queries:
    """A query for each user of `rows`, which are sorted by user, then time, and hold no pair twice.

    `timed` queries are asked when and where the user's first row happened; others have no moment.
    """
    user, start = np.unique(log.user[rows], return_index=True)
    relevant = Ragged.from_offsets(log.item[rows], np.append(start, len(rows)))
    history = histories.take(user.astype(np.int64))
    moments = _when_and_where(log, rows[start]) if timed else {}
    return Queries(user, history, Ragged.empty(len(user)), relevant, **moments)


def _when_and_where(log: Log, rows: Rows) -> dict[str, Any]:
    """When and where each of `rows` happened, as `Interactions` and `Queries` call it."""
    return {
        "timestamp": None if log.timestamp is None else log.timestamp[rows],
        "context": None if log.context is None else log.context.take(rows),
    }


def _interactions(log: Log, rows: Rows) -> Interactions:
    return Interactions(
        log.user[rows],
        log.item[rows],
        n_users=len(log.user_ids),
        n_items=len(log.item_ids),
        ordered=log.ordered,
        user_features=log.user_features,
        item_features=log.item_features,
        **_when_and_where(log, rows),
    )


def _by_user(log: Log) -> Rows:
    """Rows by user, then time; what has the same time, or none, in the order of the source.

    Where the source has lost the order, by item code: files that differ in it alone are one dataset.
    """
    if not log.ordered:
        return np.lexsort((log.item, log.user))
    if log.moment is None:
        return np.argsort(log.user, kind="stable")
    return np.lexsort((log.moment, log.user))


def _distinct(log: Log, rows: Rows) -> Rows:
    """`rows` without the repetitions of a (user, item) pair; the first of each stays, in place."""
    pair = log.user[rows].astype(np.int64) * len(log.item_ids) + log.item[rows]
    first = np.unique(pair, return_index=True)[1]
    return rows if len(first) == len(rows) else rows[np.sort(first)]


def _events(log: Log) -> npt.NDArray[np.int64]:
    return np.bincount(log.user, minlength=len(log.user_ids))


def _duplicates(count: int) -> tuple[str, ...]:
    return (f"{count:,} duplicate interactions dropped from training",) if count else ()
