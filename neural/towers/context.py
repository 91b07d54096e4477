"""When and where a query is asked, or an interaction happened: hour, weekday, and what else is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from retrieval_leaderboard.datasets.dataset import Interactions, Queries
from retrieval_leaderboard.datasets.features import Categorical, Features
from retrieval_leaderboard.neural.towers.columns import Columns

HOUR, DAY = 3600, 86_400
FIRST_WEEKDAY = 4
"""1970-01-01 was a Thursday."""


def columns_of(train: Interactions) -> Columns:
    """The columns of the interactions' context; none where nothing is known."""
    return Columns.of(Features({**known_context(train)}))


def codes_of(columns: Columns, asked: Interactions | Queries) -> Tensor:
    """int32[n, c]: rows of the embedding table of `columns`; what is not known is "unknown"."""
    given, nothing = known_context(asked), Categorical(np.zeros(len(asked), dtype=np.int32))
    return columns.rows(Features({name: given.get(name, nothing) for name in columns.coded})).codes[:-1]


def known_context(asked: Interactions | Queries) -> dict[str, Categorical]:
    """The columns with a code for each of `asked`."""
    given = asked.context.columns if asked.context is not None else {}
    moment = {} if asked.timestamp is None else _hour_and_weekday(asked.timestamp)
    return moment | {name: each for name, each in given.items() if isinstance(each, Categorical)}


def _hour_and_weekday(timestamp: npt.NDArray[np.int64]) -> dict[str, Categorical]:
    """Codes from 1, at UTC: a time zone only renames the hours; weekdays turn at midnight UTC."""
    places = {"hour": (timestamp // HOUR % 24, 24), "weekday": ((timestamp // DAY + FIRST_WEEKDAY) % 7, 7)}
    return {
        name: Categorical((place + 1).astype(np.int32), ["unknown", *map(str, range(size))])
        for name, (place, size) in places.items()
    }
