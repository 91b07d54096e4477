"""A made log of views and purchases, in which purchases tell more of a taste."""

from __future__ import annotations

import numpy as np

from retrieval_leaderboard.datasets.log import Log

USERS, ITEMS, TASTES = 1500, 600, 12
EVENTS = 30
BOUGHT, BY_TASTE = 0.15, {True: 0.9, False: 0.25}
"""Share of events that are purchases; share of purchases and of views that follow the user's taste"""


def log(weight: float, seed: int = 0) -> Log:
    """Each user has one of `TASTES`; events are items of it, or popular ones, as `BY_TASTE` has them.

    A purchase weighs `weight`, a view 1; only purchases are targets.
    """
    rng = np.random.default_rng(seed)
    shape = (USERS, EVENTS)
    bought = rng.random(shape) < BOUGHT
    taste = rng.integers(0, TASTES, USERS)[:, None]
    of_taste = rng.random(shape) < np.where(bought, BY_TASTE[True], BY_TASTE[False])
    popular = (ITEMS * rng.random(shape) ** 3).astype(np.int64)
    own = TASTES * (ITEMS // TASTES * rng.random(shape) ** 2).astype(np.int64) + taste
    return Log(
        name="shop",
        user=np.repeat(np.arange(USERS, dtype=np.int32), EVENTS),
        item=np.where(of_taste, own, popular).astype(np.int32).ravel(),
        user_ids=np.arange(USERS).astype(str).astype(object),
        item_ids=np.arange(ITEMS).astype(str).astype(object),
        timestamp=np.tile(np.arange(EVENTS, dtype=np.int64), USERS),
        weight=np.where(bought, weight, 1).astype(np.float32).ravel(),
        target=bought.ravel(),
    )
