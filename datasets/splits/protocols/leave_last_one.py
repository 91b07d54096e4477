"""Protocol `leave-last-one`: each user's last event."""

from __future__ import annotations

import numpy as np

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import last_events
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol
from retrieval_leaderboard.datasets.splits.whole import Whole


def split(log: Log, whole: Whole) -> Parts:
    """The last event of each user is a test query and the one before it a validation query.

    Users with fewer than three events are only learned from. Equal timestamps stand in an order
    drawn by the seed.
    """
    one = (last_events.count(log) >= 3).astype(np.int64)  # (users,)
    return last_events.split(log, one, one, whole, liked_only=False)


PROTOCOL = Protocol("leave-last-one", split, "the event of each user before the test event", sequential=True)
