"""Protocol `random`: rows drawn one by one, without regard to time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits import holdout, rows
from retrieval_leaderboard.datasets.splits.protocol import Parts, Protocol

TEST_PERCENT = 20
VALID_PERCENT = 10


def split(log: Log, seed: int) -> Parts:
    """A fifth of each user's items is test and a tenth of the rest validation, drawn by `seed`.

    With a target, they are shares of the items that the user has targeted; no row of such an item is
    learned from.
    """
    rng = np.random.default_rng(seed)
    order = rows.by_user(log)
    distinct = rows.distinct(log, order)
    drawn = distinct[rows.draw(log, distinct, order, holdout.draw, TEST_PERCENT, rng)]
    test = rows.same_pairs(log, order, drawn)
    parts = rows.static_parts(
        log, order[~test], order[test], carve=holdout.DRAW, percent=VALID_PERCENT, rng=rng
    )
    return replace(parts, notes=rows.repeats_note(log, len(order) - len(distinct)))


PROTOCOL = Protocol("random", split, "a tenth of each user's rows that are not test")
