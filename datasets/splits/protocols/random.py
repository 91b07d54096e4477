"""Protocol `random`: rows drawn one by one, without regard to time."""

from __future__ import annotations

from dataclasses import replace

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import holdout, rows
from retrieval_leaderboard.datasets.splits.order import by_user, distinct
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol
from retrieval_leaderboard.datasets.splits.whole import Whole

TEST_PERCENT = 20
VALID_PERCENT = 10


def split(log: Log, whole: Whole) -> Parts:
    """A fifth of each user's items is test and a tenth of the rest validation, drawn by the seed."""
    order = by_user(log)
    pairs = distinct(log, order)
    test = holdout.draw(log.user[pairs], TEST_PERCENT, whole.draws, log.first_user)
    parts = rows.static_parts(
        log,
        pairs[~test],
        pairs[test],
        carve=holdout.DRAW,
        percent=VALID_PERCENT,
        rng=whole.draws_after_pairs,
    )
    return replace(parts, counted=rows.duplicates(len(order) - len(pairs)))


PROTOCOL = Protocol("random", split, "a tenth of each user's rows that are not test")
