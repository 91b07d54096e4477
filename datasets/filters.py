"""Filters that benchmarks apply before they split: a window of time, repeats, minimum history, k-core.

Each takes and gives a log. Columns are looked at in chunks, so that a log of memory maps is never copied
whole as wider numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import Filtered, Log
from retrieval_leaderboard.datasets.prepared import rewriting
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.mapped import loaded

CHUNK = 2**22
"""Rows looked at, and sorted, at once"""
BILLION = 10**9

Mask = npt.NDArray[np.bool_]


def window(log: Log, since: int | None, until: int | None, words: str) -> Log:
    """The interactions from `since` on and before `until`, in unix seconds; None for no bound.

    Raises:
        InputError: there are no times, or none is in the window.
    """
    times = _timed(log, words)
    kept = np.ones(len(times), dtype=np.bool_)
    if since is not None:
        kept &= times >= since
    if until is not None:
        kept &= times < until
    return _filtered(
        log, kept, words, "no interaction is in that window; give another one by --since and --until"
    )


def without_repeats(log: Log, seconds: float, words: str) -> Log:
    """Without the repeats of an interaction, of the same user, item and event, within `seconds` after it.

    The first one stays, and so does the first that comes later than that after the last one that stayed.

    Raises:
        InputError: there are no times.
    """
    _timed(log, words)
    kept = np.ones(len(log.user), dtype=np.bool_)
    for rows in _by_users(log):
        kept[rows] = _not_repeated(log, rows, seconds)
    return _filtered(log, kept, words, "")


def min_history(log: Log, least: int, words: str) -> Log:
    """The interactions of users with `least` or more.

    Raises:
        InputError: no user has so many.
    """
    kept = each(_counts(log.user, len(log.user_ids)) >= least, log.user)
    return _filtered(log, kept, words, f"no user has {least} interactions; lower --min-history")


def k_core(log: Log, k: int, words: str) -> Log:
    """The largest part in which every user has `k` items, and every item `k` users; listed items go too.

    Raises:
        InputError: there is none.
    """
    distinct = np.zeros(len(log.user), dtype=np.bool_)
    for rows in _by_users(log):
        distinct[_firsts(log, rows)] = True
    users, items = np.ones(len(log.user_ids), np.bool_), np.ones(len(log.item_ids), np.bool_)
    while True:
        before = users.sum() + items.sum()
        users &= _counts(log.user, len(users), distinct) >= k
        distinct &= each(users, log.user)
        items &= _counts(log.item, len(items), distinct) >= k
        distinct &= each(items, log.item)
        if users.sum() + items.sum() == before:
            break
    kept = each(users, log.user)
    kept &= each(items, log.item)
    if not kept.any():
        raise InputError(
            f"{log.name}: there is no {words}: fewer and fewer remain until none does; lower --k-core"
        )
    return _noted(_selected(log, kept, users, items), log, words)


def of_rows(log: Log, kept: Mask) -> Log:
    """The log of the rows `kept`, without users and items that have none any more, but for listed items."""
    if kept.all():
        return log
    users, items = (
        (_counts(codes, n, kept) > 0) | (_counts(codes, n) == 0)
        for codes, n in ((log.user, len(log.user_ids)), (log.item, len(log.item_ids)))
    )
    return _selected(log, kept, users, items if log.listed is None else items | log.listed)


def _selected(log: Log, kept: Mask, users: Mask, items: Mask) -> Log:
    """The log of the rows `kept`, all of which are of `users` and `items`, the only ones that stay."""
    if log.by_user is not None:
        return rewriting.selected(log, kept, users, items)
    return log.with_interactions(kept).with_users(users).with_items(items)


def _filtered(log: Log, kept: Mask, words: str, problem: str) -> Log:
    if not kept.any():
        raise InputError(f"{log.name}, {words}: {problem}")
    return _noted(of_rows(log, kept), log, words)


def _noted(left: Log, log: Log, words: str) -> Log:
    """`left`, which says what it lacks of `log`."""
    lost = (
        len(log.user) - len(left.user),
        len(log.user_ids) - len(left.user_ids),
        len(log.item_ids) - len(left.item_ids),
    )
    return replace(left, filtered=(*log.filtered, Filtered(words, *lost)))


def _timed(log: Log, words: str) -> npt.NDArray[np.int64]:
    if log.timestamp is None:
        raise InputError(f"{log.name}, {words}: that needs times, and there are none; leave it out")
    return log.timestamp


def _counts(codes: npt.NDArray[np.int32], n: int, kept: Mask | None = None) -> npt.NDArray[np.int64]:
    """int64[n]: how often each code stands in the rows `kept`."""
    found = np.zeros(n, dtype=np.int64)
    for start in range(0, len(codes), CHUNK):
        part = slice(start, start + CHUNK)
        some = loaded(codes[part])
        found += np.bincount(some if kept is None else some[kept[part]], minlength=n)
    return found


def each(kept: Mask, codes: npt.NDArray[np.integer]) -> Mask:
    """bool[n]: `kept` of each code, integer[n]."""
    found = np.empty(len(codes), dtype=np.bool_)
    for start in range(0, len(codes), CHUNK):
        part = slice(start, start + CHUNK)
        found[part] = kept[loaded(codes[part])]
    return found


def _by_users(log: Log) -> Iterator[npt.NDArray[np.int64]]:
    """The rows in parts, each with all of some users' rows.

    Those of one user and time stand in the order of the source.
    """
    by_user = log.by_user
    ends = np.cumsum(_counts(log.user, len(log.user_ids))) if by_user is None else by_user.offsets[1:]
    size = CHUNK if by_user is None else by_user.at_once
    first = 0
    while first < len(ends):
        begun = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, begun + size, side="right")))
        if by_user is None:
            yield np.flatnonzero((log.user >= first) & (log.user < last))
        else:
            yield np.arange(begun, ends[last - 1])
        first = last


def _firsts(log: Log, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first of `rows` of each user and item."""
    pair = log.user[rows].astype(np.int64) * len(log.item_ids) + log.item[rows]
    return rows[np.unique(pair, return_index=True)[1]]


def _not_repeated(log: Log, rows: npt.NDArray[np.int64], seconds: float) -> Mask:
    """bool[m]: which of `rows` stay."""
    assert log.timestamp is not None
    within = round(seconds * BILLION)
    event = np.zeros(len(rows), np.uint8) if log.event is None else log.event[rows]
    parts = np.zeros(len(rows), np.int32) if log.nanoseconds is None else log.nanoseconds[rows]
    keys = event, log.item[rows], log.user[rows]
    order = np.lexsort((parts, log.timestamp[rows], *keys))
    new = np.zeros(len(rows), dtype=np.bool_)
    for key in keys:
        new[1:] |= np.diff(key[order]) != 0
    new[:1] = True
    group = np.cumsum(new)
    times, parts = log.timestamp[rows][order], parts[order]
    stays = np.zeros(len(rows), dtype=np.bool_)
    rest = np.arange(len(rows))  # places in `order` that are not decided
    while len(rest):
        first = np.ones(len(rest), dtype=np.bool_)
        first[1:] = np.diff(group[rest]) != 0
        stays[rest[first]] = True
        since = rest[first][np.cumsum(first) - 1]
        # Far ones are cut off, so that nanoseconds fit into 64 bits.
        passed = np.minimum(times[rest] - times[since], within // BILLION + 2) * BILLION
        rest = rest[passed + parts[rest] - parts[since] > within]
    found = np.empty(len(rows), dtype=np.bool_)
    found[order] = stays
    return found
