"""What a dataset is made of, in numbers that show at a glance whether it was read as it was meant."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.log import Log, Reading
from retrieval_leaderboard.datasets.splits.periods import periods
from retrieval_leaderboard.datasets.times.parse import as_utc
from retrieval_leaderboard.datasets.times.unix_times import ORDER

ORDERED = frozenset({"next-item", "cold-items", "leave-last-one"})
"""Protocols in which the order within a user decides what is asked"""
MANY_TIES = 0.1
FEW_QUERIES = 30


@dataclass(frozen=True)
class Profile:
    """A log as read, and the protocol it is split by."""

    rows: int
    """Rows of the source"""
    kept: int
    """Rows that are interactions"""
    dropped: dict[str, int]
    """reason → rows left out for it"""
    repeated: int
    """Interactions of a user with an item that the user had before"""
    users: int
    items: int
    """The catalog"""
    candidates: str
    """Which items it holds, in words; "" where that is not known"""
    learned: int
    """Those with training interactions, the validation part included"""
    density: float
    """Share of all pairs of a user and an item of the catalog that are there"""
    columns: dict[str, str]
    """role → column of a user's own file; {} for a known dataset"""
    left_out: list[str]
    """The other columns of the file"""
    times: str
    """How the times are given, in words; "" without times"""
    first: str
    """The earliest time, ISO 8601 in UTC, or the number where numbers give an order; "" without times"""
    last: str
    tied: float
    """Share of the interactions whose time is also that of another of the same user"""
    protocol: str
    chosen: str
    """Why this protocol"""
    begin: list[str]
    """When the validation and the test period begin, as `first`; [] without periods"""
    warnings: list[str]
    """What a reader of a table on this data should beware of; they are among the dataset's notes"""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """In words, a subject a line."""
        lines = [
            f"{self.rows:,} rows read, {self.kept:,} kept{_reasons(self.dropped)}; "
            f"{self.repeated:,} repeat a pair of user and item",
            f"{self.users:,} users, {self.items:,} items, {self.density:.4%} of all pairs",
        ]
        if self.candidates:
            lines.append(f"catalog: {self.candidates}; {self.learned:,} have a training interaction")
        if self.columns:
            used = ", ".join(f"{role} = {column}" for role, column in self.columns.items())
            lines.append(f"columns: {used}; not used: {', '.join(self.left_out) or 'none'}")
        if self.times:
            lines.append(
                f"times: {self.times}; from {self.first} to {self.last}; "
                f"{self.tied:.1%} share theirs with another row of the same user"
            )
        begin = "".join(
            f"; {part} from {moment}"
            for part, moment in zip(("validation", "test"), self.begin, strict=False)
        )
        lines.append(f"protocol: {self.protocol}, {self.chosen}{begin}")
        return lines


def of(log: Log, divided: Dataset, chosen: str) -> Profile:
    """The profile of a log and of what it was divided into, by a protocol for the reason `chosen`."""
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
        rows=reading.rows,
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
        chosen=chosen,
        begin=[_time(log, moment) for moment in periods(log)] if divided.protocol == "time" else [],
        warnings=[*log.notes, *_warnings(tied, divided.protocol, len(divided.test))],
    )


def _time(log: Log, moment: int) -> str:
    """`moment`, one of `Log.moment` or between two, as a time, or as a number where numbers give an order."""
    assert log.timestamp is not None and log.moment is not None
    if log.nanoseconds is not None:  # Moments are places in the order of the times.
        moment = log.timestamp[log.moment >= moment].min()
    in_order = log.reading is not None and log.reading.times == ORDER
    return str(moment) if in_order else as_utc(moment)


def _warnings(tied: float, protocol: str, n_queries: int) -> list[str]:
    found = []
    if tied >= MANY_TIES and protocol in ORDERED:
        found.append(
            f"{tied:.0%} of the interactions share their time with another of the same user: which of them "
            "comes last is drawn by the split seed"
        )
    if n_queries < FEW_QUERIES:
        found.append(f"only {n_queries} test queries: differences between models are mostly chance")
    return found


def _reasons(dropped: dict[str, int]) -> str:
    told = "; ".join(f"{count:,} {reason}" for reason, count in dropped.items())
    return f" (left out: {told})" if told else ""


def _tied(user: npt.NDArray[np.int32], moment: npt.NDArray[np.int64]) -> float:
    """The share of rows that are neighbors, by user and time, of a row with the same time."""
    if not len(user):
        return 0.0
    order = np.lexsort((moment, user))
    same = (np.diff(user[order]) == 0) & (np.diff(moment[order]) == 0)
    tied = np.concatenate(([False], same)) | np.concatenate((same, [False]))
    return float(tied.mean())
