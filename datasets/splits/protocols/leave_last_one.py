"""Protocol `leave-last-one`: each user's last event."""

from __future__ import annotations

import numpy as np

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import last_events
from retrieval_leaderboard.datasets.splits.last_events import Counts
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol
from retrieval_leaderboard.datasets.splits.whole import Whole


def split(log: Log, whole: Whole) -> Parts:
    """The last event of each user is a test query and the one before it a validation query.

    Users with fewer than three events are only learned from. Ties stand in an order drawn by the seed,
    or in the source's. With a target, these are the last two target events that are not a user's first event;
    of a user with one, it is a test query.
    """
    return last_events.split(log, _choose, whole, liked_only=False)


def _choose(events: Counts, askable: Counts) -> tuple[Counts, Counts]:
    enough = events >= 3
    return (enough & (askable >= 1)).astype(np.int64), (enough & (askable >= 2)).astype(np.int64)


PROTOCOL = Protocol(
    "leave-last-one", split, "the event of each user before the test event", sequential=True, draws=False
)
