"""A source as read: every interaction, before any split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.ids import RawIds
from retrieval_leaderboard.support.storage.mapped import loaded

TRAIN, VALID, TEST = range(3)
"""`Log.part` of the source's own split"""
COLUMNS = ("timestamp", "nanoseconds", "rating", "weight", "target", "part", "event")
"""What each row of a source may have beside user and item"""
ROWS = ("user", "item", *COLUMNS)
"""The columns of `Log` that have a value a row, beside `context`"""
BILLION = 10**9
LATEST = 2**63 // BILLION - 1
"""Unix seconds up to which nanoseconds since 1970 fit into int64"""
ONCE, SUM = "once", "sum"
"""`Log.repeats`: what repeated pairs of a user and an item weigh together: the largest weight, or the sum"""


@dataclass(frozen=True)
class Reading:
    """What was taken from a user's file, and what was not."""

    rows: int
    """Rows of the file"""
    columns: dict[str, str]
    """role ("user", "item", "timestamp", "rating") → the column it was read from"""
    left_out: tuple[str, ...] = ()
    """The columns that were not used"""
    dropped: dict[str, int] = field(default_factory=dict)
    """reason → rows that were left out for it"""
    times: str = ""
    """How the times were given, in words; "" without times"""
    notes: tuple[str, ...] = ()
    """What reading found and a reader of a table should know"""
    events: tuple[str, ...] = ()
    """The values of the column of events, by the codes of `Log.event`; () where none was read"""
    features: tuple[str, ...] = ()
    """Tables of items and users, and what their columns are, in words"""
    items_left_out: tuple[str, ...] = ()
    """Ids of the items in rows that were left out, where items have a table: it may list them for that"""
    memory: int = 0
    """Bytes that sorting kept to; 0 where all was in memory"""
    spilled: int = 0
    """Bytes that lay on disk meanwhile"""


@dataclass(frozen=True)
class Filtered:
    """What one filter left out."""

    words: str
    """The filter, as titles have it: "10-core" """
    rows: int
    users: int
    """Those with no interaction left"""
    items: int
    """As `users`"""


@dataclass(frozen=True)
class ByUser:
    """Of a log whose rows stand by user, and not in the order of the source, and may not fit into memory.

    Within a user they stand by time, then by item where the source has lost the order, and then as there.
    """

    row: npt.NDArray[np.integer]
    """int[n]: the row of the source that each row is, from 0"""
    offsets: npt.NDArray[np.int64]
    """int64[n_users + 1]: where the rows of each user begin and the last one's end"""
    at_once: int
    """Rows that may be looked at together, where a single user has no more"""
    folder: Path | None = None
    """Where the arrays lie"""
    scratch: Path | None = None
    """Where those of a log that is made of this one are written; None where none is made"""
    first_user: int = 0
    """What is added to the codes of users, where the log is a part of another"""


@dataclass(frozen=True)
class Log:
    """Interactions of one source with codes for ids, in the order of the source or else `by_user`."""

    name: str
    """Of the dataset; names the folder of its results."""
    user: npt.NDArray[np.int32]
    """int32[n]"""
    item: npt.NDArray[np.int32]
    """int32[n]"""
    user_ids: RawIds
    """n_users: raw id (str) of each user code"""
    item_ids: RawIds
    """n_items: raw id (str) of each item code"""
    timestamp: npt.NDArray[np.int64] | None = None
    """int64[n], unix seconds"""
    nanoseconds: npt.NDArray[np.int32] | None = None
    """int32[n], what comes on top of `timestamp`; None where all times are whole seconds"""
    rating: npt.NDArray[np.float32] | None = None
    """float32[n], on the source's own scale"""
    ordered: bool = True
    """Whether rows of equal or missing time stand in the order in which they happened."""
    weight: npt.NDArray[np.float32] | None = None
    """float32[n], above 0: what an interaction counts beside others; None where all count alike"""
    target: npt.NDArray[np.bool_] | None = None
    """bool[n]: which rows may be relevant, such as purchases; all are history. None where all may be"""
    part: npt.NDArray[np.uint8] | None = None
    """uint8[n]: `TRAIN`, `VALID` or `TEST`, where the source comes split; None where it does not"""
    event: npt.NDArray[np.uint8] | None = None
    """uint8[n]: places in `Reading.events`; None where no column of events was read"""
    repeats: str = ONCE
    """What rows of the same user and item weigh together: `ONCE` or `SUM`"""
    weight_cap: float | None = None
    """The most that they weigh together"""
    periods: tuple[int, int] | None = None
    """Where the validation and the test period begin, in the numbers of `moment`; None where the source says
    nothing of them"""
    listed: npt.NDArray[np.bool_] | None = None
    """bool[n_items]: the items of the source's own table of items; None where it has none"""
    carve: str = "draw"
    """A key of `holdout.CARVES`: how protocol published carves validation from the rows that are not test"""
    ties: str = "random"
    """The order of a user's rows of one time, where protocols ask for the last ones: a key of `order.TIES`"""
    by_user: ByUser | None = None
    """Where the rows stand by user"""
    user_features: Features | None = None
    item_features: Features | None = None
    context: Features | None = None
    """row i tells where interaction i happened"""
    title: str = ""
    """How tables call it, where that says more than the name: "aliec-sim, synthetic, scale 0.1" """
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    """What a reader of its table should know about the source as read."""
    reading: Reading | None = None
    """How the file was read, where it is a user's own"""
    filtered: tuple[Filtered, ...] = ()
    """What was left out since, in order"""

    def with_interactions(self, kept: npt.NDArray[np.bool_]) -> Log:
        """The log of the rows `kept`, bool[n]; users and items stay, with interactions or without."""
        if kept.all():
            return self
        columns = {name: getattr(self, name) for name in ROWS}
        left = {name: values[kept] for name, values in columns.items() if values is not None}
        context = None if self.context is None else self.context.take(np.flatnonzero(kept))
        by_user = self.by_user and replace(self.by_user, row=self.by_user.row[kept])
        return replace(self, **left, context=context, by_user=by_user)

    def parts(self) -> Iterator[Log]:
        """The log in parts of whole users, in order, with codes of users from 0 and without features.

        A log in the order of the source is one part, another one as many as it must have.
        """
        return (self.of_users(first, end) for first, end in self.stretches())

    def stretches(self) -> Iterator[tuple[int, int]]:
        """The first user of each part, and the one after its last."""
        if self.by_user is None:
            yield 0, len(self.user_ids)
            return
        offsets, user = self.by_user.offsets, 0
        while user < len(offsets) - 1:
            end = int(np.searchsorted(offsets, offsets[user] + self.by_user.at_once, side="right")) - 1
            end = max(end, user + 1)
            yield user, end
            user = end

    def of_users(self, first: int, end: int) -> Log:
        """The part of the users from `first` to before `end`; all where rows stand in the source's order."""
        by_user = self.by_user
        if by_user is None:
            return replace(self, user_features=None, item_features=None)
        rows = slice(int(by_user.offsets[first]), int(by_user.offsets[end]))

        def part(values: Any) -> Any:
            return None if values is None else loaded(values[rows])

        return replace(
            self,
            user=part(self.user) - np.int32(first),
            item=part(self.item),
            user_ids=self.user_ids[first:end],
            by_user=replace(by_user, row=part(by_user.row), first_user=first),
            user_features=None,
            item_features=None,
            **{name: part(getattr(self, name)) for name in COLUMNS},
        )

    @property
    def first_user(self) -> int:
        """What is added to the codes of users in the log that this one is a part of."""
        return self.by_user.first_user if self.by_user else 0

    def with_items(self, kept: npt.NDArray[np.bool_]) -> Log:
        """The log of the items `kept`, bool[n_items], alone; interactions with others are left out."""
        catalog = self.with_catalog(kept)
        return catalog if catalog is self else self.with_rows(kept, catalog)

    def with_catalog(self, kept: npt.NDArray[np.bool_]) -> Log:
        """What is known of the items `kept`; the rows stay as they are, with the codes of before."""
        if kept.all():
            return self
        items = np.flatnonzero(kept)
        return replace(
            self,
            item_ids=self.item_ids[items],
            listed=None if self.listed is None else self.listed[items],
            item_features=None if self.item_features is None else self.item_features.take(items).compact(),
        )

    def with_rows(self, kept: npt.NDArray[np.bool_], catalog: Log) -> Log:
        """The rows with items that are `kept`, with the codes that these have in `catalog`."""
        if kept.all():
            return self
        log = self.with_interactions(kept[self.item])
        return replace(
            log,
            item=recoded(kept)[log.item],
            item_ids=catalog.item_ids,
            listed=catalog.listed,
            item_features=catalog.item_features,
        )

    def with_users(self, kept: npt.NDArray[np.bool_]) -> Log:
        """The log of the users `kept`, bool[n_users], alone; interactions of others are left out."""
        if kept.all():
            return self
        log = self.with_interactions(kept[self.user])
        return replace(log.with_people(kept), user=recoded(kept)[log.user])

    def with_people(self, kept: npt.NDArray[np.bool_]) -> Log:
        """What is known of the users `kept`; the rows stay as they are, with the codes of before."""
        if kept.all():
            return self
        users = np.flatnonzero(kept)
        return replace(
            self,
            user_ids=self.user_ids[users],
            user_features=None if self.user_features is None else self.user_features.take(users).compact(),
        )

    @cached_property
    def moment(self) -> npt.NDArray[np.int64] | None:
        """int64[n]: numbers in the order of the times, equal where the times are; None without times."""
        if self.timestamp is None or self.nanoseconds is None:
            return self.timestamp
        if self._in_nanoseconds:
            return self.timestamp * BILLION + self.nanoseconds
        order = np.lexsort((self.nanoseconds, self.timestamp))
        later = (np.diff(self.timestamp[order]) != 0) | (np.diff(self.nanoseconds[order]) != 0)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.concatenate(([0], np.cumsum(later)))
        return place

    @cached_property
    def _in_nanoseconds(self) -> bool:
        """Whether the times fit into int64 as nanoseconds since 1970, as those of a log by user do."""
        assert self.timestamp is not None
        return self.by_user is not None or bool((np.abs(self.timestamp) < LATEST).all())

    def seconds(self, moment: int) -> int:
        """Unix seconds of one of the numbers of `moment`."""
        if self.nanoseconds is None:
            return int(moment)
        assert self.timestamp is not None and self.moment is not None
        return moment // BILLION if self._in_nanoseconds else int(self.timestamp[self.moment >= moment].min())


def recoded(kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """int32[n]: the new code of each that is kept."""
    return np.cumsum(kept, dtype=np.int32) - 1
