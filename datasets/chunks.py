"""A source that is read chunk by chunk, so that it need not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.log import COLUMNS, Log, Reading
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

RawColumn: TypeAlias = "npt.NDArray[np.int64] | pa.Array | pa.ChunkedArray"
"""Ids as the source has them: whole numbers, or Arrow strings; codes follow their order"""

Describe = Callable[[npt.NDArray[np.object_]], Features]
"""Raw ids (str), one a code → their features"""


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a source; every chunk of a source has the same columns."""

    user: RawColumn
    """n raw ids"""
    item: RawColumn
    """n raw ids"""
    timestamp: npt.NDArray[np.int64] | None = None
    """int64[n], unix seconds"""
    nanoseconds: npt.NDArray[np.int32] | None = None
    """int32[n], what comes on top of `timestamp`"""
    rating: npt.NDArray[np.float32] | None = None
    """float32[n]"""
    weight: npt.NDArray[np.float32] | None = None
    """float32[n], as `Log.weight`"""
    target: npt.NDArray[np.bool_] | None = None
    """bool[n], as `Log.target`"""
    part: npt.NDArray[np.uint8] | None = None
    """uint8[n], as `Log.part`"""
    event: npt.NDArray[np.uint8] | None = None
    """uint8[n]: places in `Reading.events`, in whichever order"""

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class ChunkedLog:
    """A log that is still to be read; what is known of it beside its rows."""

    name: str
    chunks: Callable[[], Iterator[Chunk]]
    """Reads the source from its beginning, each time it is called"""
    listed_items: RawColumn | None = None
    """The ids of the source's own table of items: they belong to the catalog without an interaction too"""
    describe_users: Describe | None = None
    describe_items: Describe | None = None
    ordered: bool = True
    """As `Log.ordered`"""
    periods: tuple[int, int] | None = None
    """As `Log.periods`"""
    title: str = ""
    notes: tuple[str, ...] = ()
    reading: Callable[[], Reading] | None = None
    """How the source was read, once all chunks were"""

    def log(self) -> Log:
        """The whole log in memory.

        Raises:
            InputError: the source has no row, or what reading a chunk raises.
        """
        chunks = list(self.chunks())
        if not sum(map(len, chunks)):
            raise InputError(f"{self.name}: there is no interaction in its files; get them again")
        reading = self.reading() if self.reading else None
        user_ids, user = _coded([chunk.user for chunk in chunks])
        item_ids, item = _coded([chunk.item for chunk in chunks])
        log = Log(
            name=self.name,
            user=user,
            item=item,
            user_ids=user_ids,
            item_ids=item_ids,
            ordered=self.ordered,
            periods=self.periods,
            title=self.title,
            notes=(*self.notes, *(reading.notes if reading else ())),
            reading=reading,
            **{name: _joined([getattr(chunk, name) for chunk in chunks]) for name in COLUMNS},
        )
        return self._described(self._with_listed(log))

    def _with_listed(self, log: Log) -> Log:
        """`log` with the items that the source lists beside those that have interactions."""
        if self.listed_items is None:
            return log
        both, _ = _coded([_as_raw(np.asarray(log.item_ids), self.listed_items), self.listed_items])
        place = {raw: code for code, raw in enumerate(both)}
        code = np.array([place[raw] for raw in log.item_ids], dtype=np.int32)
        listed = np.zeros(len(both), dtype=np.bool_)
        listed[[place[raw] for raw in _coded([self.listed_items])[0]]] = True
        return replace(log, item=code[log.item], item_ids=both, listed=listed)

    def _described(self, log: Log) -> Log:
        users, items = self.describe_users, self.describe_items
        return replace(
            log,
            user_features=users(np.asarray(log.user_ids)) if users else None,
            item_features=items(np.asarray(log.item_ids)) if items else None,
        )


def _coded(parts: list[RawColumn]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int32]]:
    """The distinct ids in their order, object[k] of str, and the code of each, int32[n].

    Whole numbers stand by size; text by its code points, as Python sorts it.
    """
    if isinstance(parts[0], np.ndarray):
        ids: npt.NDArray[np.int64]
        ids, codes = np.unique(np.concatenate(parts), return_inverse=True)
        return ids.astype(str).astype(object), codes.astype(np.int32)
    import pyarrow as pa
    import pyarrow.compute as pc

    # Combined before they are codes, the texts of many rows would not fit into one array.
    encoded = pa.chunked_array([chunk for part in parts for chunk in _arrays(part)])
    encoded = encoded.dictionary_encode().combine_chunks()
    raw = encoded.dictionary.to_numpy(zero_copy_only=False)
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return raw[order], place[encoded.indices.to_numpy()]


def _arrays(part: Any) -> list[pa.Array]:
    return part.chunks if hasattr(part, "chunks") else [part]


def _as_raw(ids: npt.NDArray[np.object_], like: RawColumn) -> RawColumn:
    """Ids, object[n] of str, in the form of `like`."""
    if isinstance(like, np.ndarray):
        return ids.astype(np.int64)
    import pyarrow as pa

    return pa.array(ids, type=like.type)


def _joined(parts: list[Any]) -> Any:
    return None if parts[0] is None else np.concatenate(parts)
