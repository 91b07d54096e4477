"""Protocol `random`: rows drawn one by one, without regard to time."""

from __future__ import annotations

from dataclasses import replace

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import holdout, rows
from retrieval_leaderboard.datasets.splits.order import by_user, distinct, same_pairs
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol
from retrieval_leaderboard.datasets.splits.whole import Whole

TEST_PERCENT = 20
VALID_PERCENT = 10


def split(log: Log, whole: Whole) -> Parts:
    """A fifth of each user's items is test and a tenth of the rest validation, drawn by the seed.

    With a target, they are shares of the items that the user has targeted; no row of such an item is
    learned from.
    """
    order = by_user(log)
    pairs = distinct(log, order)
    drawn = pairs[rows.draw(log, pairs, order, holdout.draw, TEST_PERCENT, whole.draws)]
    test = same_pairs(log, order, drawn)
    parts = rows.static_parts(
        log,
        order[~test],
        order[test],
        carve=holdout.DRAW,
        percent=VALID_PERCENT,
        rng=whole.draws_after_pairs,
    )
    return replace(parts, counted=rows.repeats_note(log, len(order) - len(pairs)))


PROTOCOL = Protocol("random", split, "a tenth of each user's rows that are not test")
