"""The profile of a dataset, counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.log import Log, Reading
from retrieval_leaderboard.datasets.profile import Profile
from retrieval_leaderboard.datasets.splits.periods import periods
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS, SEQUENTIAL
from retrieval_leaderboard.datasets.times.parse import as_utc
from retrieval_leaderboard.datasets.times.unix_times import ORDER

MANY_TIES = 0.1
FEW_QUERIES = 30


def profile_of(log: Log, divided: Dataset, reason: str) -> Profile:
    """The profile of a log and of what it was divided into, by a protocol for a `reason`."""
    n_users, n_items = len(log.user_ids), len(divided.item_ids)
    reading = log.reading or Reading(len(log.user), {}, times="" if log.timestamp is None else "unix seconds")
    pairs = np.sort(log.user.astype(np.int64) * len(log.item_ids) + log.item)
    # np.unique hashes int64 keys, which takes a hundred times as long.
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    catalog = set(divided.item_ids)
    candidates = np.array([item in catalog for item in log.item_ids])[pairs % len(log.item_ids)]
    tied = 0.0 if log.moment is None else _tied(log.user, log.moment)
    moments = None if log.moment is None else (log.moment.min(), log.moment.max())
    first, last = ("", "") if moments is None else (_time(log, moment) for moment in moments)
    return Profile(
        rows=reading.rows if log.reading else len(log.user) + sum(each.rows for each in log.filtered),
        kept=len(log.user),
        dropped=reading.dropped,
        repeated=len(log.user) - len(pairs),
        users=n_users,
        items=n_items,
        candidates=divided.candidates,
        learned=int((divided.train_valid.item_counts > 0).sum()),
        density=int(candidates.sum()) / max(1, n_users * n_items),
        columns=reading.columns,
        left_out=list(reading.left_out),
        times=reading.times,
        first=first,
        last=last,
        tied=tied,
        protocol=divided.protocol,
        chosen=reason,
        begin=[_time(log, moment) for moment in periods(log)] if PROTOCOLS[divided.protocol].timeline else [],
        features=list(reading.features),
        warnings=[*log.notes, *_warnings(tied, divided.protocol, len(divided.test))],
        events=_events(log),
        relevant=_relevant(log, divided.exclude_seen),
        weights=_weights(divided),
        filters=[
            f"{each.words}: {each.rows:,} interactions, {each.users:,} users and {each.items:,} items "
            "left out"
            for each in log.filtered
        ],
    )


def _events(log: Log) -> dict[str, int]:
    if log.event is None or log.reading is None:
        return {}
    counts = np.bincount(log.event, minlength=len(log.reading.events))
    return {name: int(count) for name, count in zip(log.reading.events, counts, strict=True) if count}


def _relevant(log: Log, exclude_seen: bool) -> str:
    if log.target is None:
        return ""
    kinds = [] if log.event is None or log.reading is None else np.unique(log.event[log.target]).tolist()
    named = f" ({', '.join(log.reading.events[kind] for kind in kinds)})" if kinds and log.reading else ""
    seen = (
        "items seen in any event are left out, so that none of theirs is"
        if exclude_seen
        else "items seen before stay in the answer"
    )
    return f"the {int(log.target.sum()):,} interactions of target events{named} alone; {seen}"


def _weights(divided: Dataset) -> str:
    found = divided.train_valid.weight
    if found is None:
        return ""
    return f"{found.min():g} to {found.max():g} a pair of user and item, {found.mean():.3g} on average"


def _time(log: Log, moment: int) -> str:
    """`moment`, one of `Log.moment` or between two, as a time, or as a number where numbers give an order."""
    assert log.timestamp is not None and log.moment is not None
    if log.nanoseconds is not None:  # Moments are places in the order of the times.
        moment = log.timestamp[log.moment >= moment].min()
    in_order = log.reading is not None and log.reading.times == ORDER
    return str(moment) if in_order else as_utc(moment)


def _warnings(tied: float, protocol: str, n_queries: int) -> list[str]:
    found = []
    if tied >= MANY_TIES and protocol in SEQUENTIAL:
        found.append(
            f"{tied:.0%} of the interactions share their time with another of the same user: which of them "
            "comes last is drawn by the split seed"
        )
    if n_queries < FEW_QUERIES:
        found.append(f"only {n_queries} test queries: differences between models are mostly chance")
    return found


def _tied(user: npt.NDArray[np.int32], moment: npt.NDArray[np.int64]) -> float:
    """The share of rows that are neighbors, by user and time, of a row with the same time."""
    if not len(user):
        return 0.0
    order = np.lexsort((moment, user))
    same = (np.diff(user[order]) == 0) & (np.diff(moment[order]) == 0)
    tied = np.concatenate(([False], same)) | np.concatenate((same, [False]))
    return float(tied.mean())
