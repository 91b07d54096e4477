"""The rows of a source as Arrow tables, each row with its place, and what is known once all were read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.log import COLUMNS, LATEST
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("user", "item")
TOGETHER = 2**19
"""Rows of a table at least, but for the last: to take one in has its cost"""


class Intake:
    """All rows of a source, once; then what they have in common."""

    def __init__(self, source: ChunkedLog) -> None:
        self._source = source
        self._fractions = False
        self.rows = 0
        self._columns: list[str] = []

    @property
    def columns(self) -> list[str]:
        """What rows have beside user and item; nanoseconds only where a time has a fraction."""
        return [name for name in self._columns if self._fractions or name != "nanoseconds"]

    def tables(self) -> Iterator[pa.Table]:
        """Tables of user, item, all that chunks have, and the row of the source, from 0.

        Raises:
            InputError: no row, times that do not fit, or what reading a chunk raises.
        """
        import pyarrow as pa

        latest, waiting = 0, []
        for chunk in self._source.chunks():
            self._columns = self._columns or [name for name in COLUMNS if getattr(chunk, name) is not None]
            if chunk.nanoseconds is not None and chunk.timestamp is not None:
                latest = max(latest, int(np.abs(chunk.timestamp).max(initial=0)))
                self._fractions |= bool(chunk.nanoseconds.any())
            waiting.append(self._arrow(chunk))
            self.rows += len(chunk)
            if sum(map(len, waiting)) >= TOGETHER:
                yield pa.concat_tables(waiting)
                waiting.clear()
        if not self.rows:
            raise InputError(f"{self._source.name}: there is no interaction in its files; get them again")
        if waiting:
            yield pa.concat_tables(waiting)
        if self._fractions and latest >= LATEST:
            raise InputError(
                f"{self._source.name}: its times have fractions and lie beyond the year 2262, which a limit "
                "of memory does not allow; correct them, or leave --memory out"
            )

    def _arrow(self, chunk: Chunk) -> pa.Table:
        import pyarrow as pa

        given: dict[str, Any] = {name: getattr(chunk, name) for name in (*KINDS, *self._columns)}
        return pa.table(given | {"row": np.arange(self.rows, self.rows + len(chunk))})
