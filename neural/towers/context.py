"""When and where a query is asked, or an interaction happened: hour, weekday, and what else is told of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from retrieval_leaderboard.datasets.dataset import Features, Interactions, Queries
from retrieval_leaderboard.neural.towers.columns import Columns

HOUR, DAY = 3600, 86_400
FIRST_WEEKDAY = 4
"""1970-01-01 was a Thursday."""


def columns_of(train: Interactions) -> Columns:
    """The columns of the interactions' context; none where nothing is told."""
    return Columns.of(_told(train))


def codes_of(columns: Columns, asked: Interactions | Queries) -> Tensor:
    """int32[n, c]: rows of the embedding table of `columns`; what is not told is "unknown"."""
    told, nothing = _told(asked).categorical, np.zeros(len(asked), dtype=np.int32)
    known = {name: told.get(name, nothing) for name in columns.categorical}
    return columns.rows(Features(known)).codes[:-1]


def _told(asked: Interactions | Queries) -> Features:
    given = asked.context or Features()
    if asked.timestamp is None:
        return Features(given.categorical, vocabulary=given.vocabulary)
    moment = _hour_and_weekday(asked.timestamp)
    names = {name: ["unknown", *map(str, range(size))] for name, size in (("hour", 24), ("weekday", 7))}
    return Features(moment | given.categorical, vocabulary=names | given.vocabulary)


def _hour_and_weekday(timestamp: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.int32]]:
    """Codes from 1, at UTC: a time zone only renames the hours; weekdays turn at midnight UTC."""
    hour, weekday = timestamp // HOUR % 24, (timestamp // DAY + FIRST_WEEKDAY) % 7
    return {"hour": (hour + 1).astype(np.int32), "weekday": (weekday + 1).astype(np.int32)}
