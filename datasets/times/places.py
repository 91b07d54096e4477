"""Times that are places: 0, 1, 2, … or 1, 2, 3, … in the sequence of each user."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.times.unix_times import ORDER


def are_places(log: Log) -> bool:
    """Whether the times of `log` say no more than the order within each user: no two users share a clock."""
    if log.reading is None or log.reading.times != ORDER:
        return False
    first = np.concatenate([_firsts(part) for part in log.parts()])
    return len(log.user) > len(first) and any((first == begin).all() for begin in (0, 1))


def _firsts(part: Log) -> npt.NDArray[np.int64]:
    """The first time of each user with interactions; -1 where those after it do not follow one by one."""
    assert part.timestamp is not None
    order = np.lexsort((part.timestamp, part.user))
    user, time = part.user[order], part.timestamp[order]
    begins = np.flatnonzero(np.diff(user, prepend=-1))
    follows = (np.diff(time) == 1) | (np.diff(user) != 0)
    return time[begins] if follows.all() else np.full(len(begins), -1)
