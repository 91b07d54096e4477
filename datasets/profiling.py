"""The profile of a dataset, counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.ids import among
from retrieval_leaderboard.datasets.log import Log, Reading
from retrieval_leaderboard.datasets.profile import Profile
from retrieval_leaderboard.datasets.splits.order import RANDOM, SOURCE
from retrieval_leaderboard.datasets.splits.periods import periods, span
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS, SEQUENTIAL
from retrieval_leaderboard.datasets.times.parse import as_utc
from retrieval_leaderboard.datasets.times.unix_times import ORDER
from retrieval_leaderboard.support.storage.mapped import counts

MANY_TIES = 0.1
FEW_QUERIES = 30
LAST_OF_TIES = {
    RANDOM: "which of them comes last is drawn by the split seed",
    SOURCE: "the order of the source says which of them comes last",
}


def with_profile(log: Log, divided: Dataset, reason: str) -> Dataset:
    """`divided` with its profile and what follows from it: notes, and no `ties` where there are none."""
    profile = profile_of(log, divided, reason)
    ties = divided.ties if profile.tied else ""
    more = (warning for warning in profile.warnings if warning not in divided.notes)
    return replace(divided, profile=profile, ties=ties, notes=(*divided.notes, *more))


def profile_of(log: Log, divided: Dataset, reason: str) -> Profile:
    """The profile of a log and of what it was divided into, by a protocol for a `reason`."""
    n_users, n_items, rows = len(log.user_ids), len(divided.item_ids), len(log.user)
    reading = log.reading or Reading(rows, {}, times="" if log.timestamp is None else "unix seconds")
    in_catalog = among(log.item_ids, divided.item_ids)
    counted = [_count(part, in_catalog) for part in log.parts()]
    tied = sum(each.tied for each in counted) / max(1, rows)
    first, last = ("", "") if log.timestamp is None else (_time(log, moment) for moment in span(log))
    return Profile(
        rows=reading.rows if log.reading else rows + sum(each.rows for each in log.filtered),
        kept=rows,
        dropped=reading.dropped,
        repeated=rows - sum(each.pairs for each in counted),
        users=n_users,
        items=n_items,
        candidates=divided.candidates,
        learned=int((divided.train_valid.item_counts > 0).sum()),
        density=sum(each.candidates for each in counted) / max(1, n_users * n_items),
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
        warnings=[*log.notes, *_warnings(tied, divided)],
        memory=reading.memory,
        spilled=reading.spilled,
        events=_events(log),
        relevant=_relevant(log, divided.exclude_seen),
        weights=_weights(divided),
        filters=[
            f"{each.words}: {each.rows:,} interactions, {each.users:,} users and {each.items:,} items "
            "left out"
            for each in log.filtered
        ],
    )


@dataclass(frozen=True)
class _Counts:
    """Of a part of the users."""

    pairs: int
    """Different pairs of user and item"""
    candidates: int
    """Those with an item of the catalog"""
    tied: int
    """Rows that share their time with another of the same user"""


def _count(part: Log, in_catalog: npt.NDArray[np.bool_]) -> _Counts:
    pairs = np.sort(part.user.astype(np.int64) * len(in_catalog) + part.item)
    # np.unique hashes int64 keys, which takes a hundred times as long.
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    tied = 0 if part.moment is None else _tied(part)
    return _Counts(len(pairs), int(in_catalog[pairs % len(in_catalog)].sum()), tied)


def _events(log: Log) -> dict[str, int]:
    if log.event is None or log.reading is None:
        return {}
    found = counts(log.event, len(log.reading.events))
    return {name: int(count) for name, count in zip(log.reading.events, found, strict=True) if count}


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
    in_order = log.reading is not None and log.reading.times == ORDER
    return str(log.seconds(moment)) if in_order else as_utc(log.seconds(moment))


def _warnings(tied: float, divided: Dataset) -> list[str]:
    found = []
    if tied >= MANY_TIES and divided.protocol in SEQUENTIAL:
        found.append(
            f"{tied:.0%} of the interactions share their time with another of the same user: "
            f"{LAST_OF_TIES[divided.ties]}"
        )
    if (asked := len(divided.test)) < FEW_QUERIES:
        found.append(f"only {_queries(asked, 'test')}: differences between models are mostly chance")
    if 0 < (asked := len(divided.valid)) < FEW_QUERIES:
        found.append(f"only {_queries(asked, 'validation')}: what is chosen on them is mostly chance")
    return found


def _queries(number: int, of: str) -> str:
    return f"{number} {of} {'query' if number == 1 else 'queries'}"


def _tied(part: Log) -> int:
    """The rows that are neighbors, by user and time, of a row with the same time."""
    user, moment = part.user, part.moment
    assert moment is not None
    if not len(user):
        return 0
    if part.by_user is None:
        order = np.lexsort((moment, user))
        user, moment = user[order], moment[order]
    same = (np.diff(user) == 0) & (np.diff(moment) == 0)
    tied = np.concatenate(([False], same)) | np.concatenate((same, [False]))
    return int(tied.sum())
