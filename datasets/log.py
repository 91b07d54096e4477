"""A source as read: every interaction, before any split."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Features

TRAIN, VALID, TEST = range(3)
"""`Log.part` of the source's own split"""


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


@dataclass(frozen=True)
class Log:
    """Interactions of one source with codes for ids, in the order of the source."""

    name: str
    """Of the dataset; names the folder of its results."""
    user: npt.NDArray[np.int32]
    """int32[n]"""
    item: npt.NDArray[np.int32]
    """int32[n]"""
    user_ids: npt.NDArray[np.object_]
    """object[n_users]: raw id (str) of each user code"""
    item_ids: npt.NDArray[np.object_]
    """object[n_items]: raw id (str) of each item code"""
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
    periods: tuple[int, int] | None = None
    """Where the validation and the test period begin, in the numbers of `moment`; None where the source says
    nothing of them"""
    listed: npt.NDArray[np.bool_] | None = None
    """bool[n_items]: the items of the source's own table of items; None where it has none"""
    carve: str = "draw"
    """A key of `holdout.CARVES`: how protocol published carves validation from the rows that are not test"""
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

    def with_items(self, kept: npt.NDArray[np.bool_]) -> Log:
        """The log of the items `kept`, bool[n_items], alone; interactions with others are left out."""
        if kept.all():
            return self
        items, rows = np.flatnonzero(kept), np.flatnonzero(kept[self.item])
        code = np.cumsum(kept, dtype=np.int32) - 1  # (items,)

        def left(values: Any, at: npt.NDArray[np.int64]) -> Any:
            return None if values is None else values[at]

        return replace(
            self,
            user=self.user[rows],
            item=code[self.item[rows]],
            item_ids=self.item_ids[items],
            timestamp=left(self.timestamp, rows),
            nanoseconds=left(self.nanoseconds, rows),
            rating=left(self.rating, rows),
            weight=left(self.weight, rows),
            target=left(self.target, rows),
            part=left(self.part, rows),
            listed=left(self.listed, items),
            item_features=None if self.item_features is None else self.item_features.take(items).compact(),
            context=None if self.context is None else self.context.take(rows),
        )

    @cached_property
    def moment(self) -> npt.NDArray[np.int64] | None:
        """int64[n]: numbers in the order of the times, equal where the times are; None without times."""
        if self.timestamp is None or self.nanoseconds is None:
            return self.timestamp
        order = np.lexsort((self.nanoseconds, self.timestamp))
        later = (np.diff(self.timestamp[order]) != 0) | (np.diff(self.nanoseconds[order]) != 0)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.concatenate(([0], np.cumsum(later)))
        return place
