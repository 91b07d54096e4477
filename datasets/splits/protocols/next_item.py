"""Protocol `next-item`: what each user takes next, three times."""

from __future__ import annotations

import numpy as np

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import last_events
from retrieval_leaderboard.datasets.splits.last_events import Counts
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol
from retrieval_leaderboard.datasets.splits.whole import Whole

LAST_EVENTS = 3


def split(log: Log, whole: Whole) -> Parts:
    """The last three events of each user are test queries, the three before them validation.

    The history of a query is all that came before it, earlier test items included; it counts where
    its rating is above 2, or where there are no ratings. Each user's first event stays in training:
    with fewer than seven events there are fewer validation queries, with fewer than four also fewer
    test queries. Ties stand in one order, drawn by the seed or the source's, for history and split alike.
    With a target, only target events are asked for.
    """
    return last_events.split(log, _choose, whole, liked_only=True)


def _choose(events: Counts, askable: Counts) -> tuple[Counts, Counts]:
    n_test = np.minimum(askable, LAST_EVENTS)
    return n_test, np.minimum(askable - n_test, LAST_EVENTS)


PROTOCOL = Protocol(
    "next-item",
    split,
    "the three events of each user before the test events, one query each",
    sequential=True,
    draws=False,
    rated=True,
    excludes_seen=False,
)
