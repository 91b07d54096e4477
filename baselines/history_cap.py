"""Histories of no more than so many items: what a fit costs grows with the square of their lengths."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.datasets.ragged import Ragged, offsets_of


def capped(train: Interactions, most: int) -> Interactions:
    """At most `most` interactions of each user; 0 for all.

    The latest ones where the data is in time order; else some drawn at random, the same ones each time.
    """
    if not most or train.user_counts.max(initial=0) <= most:
        return train
    if train.ordered:
        rows = train.by_user.last(most)
        offsets = offsets_of(rows.lengths)
        kept = np.repeat(rows.start - offsets[:-1], rows.lengths) + np.arange(offsets[-1])
    else:
        _, kept = sample(train.by_user, most, np.random.default_rng(0))
    weight = None if train.weight is None else train.weight[kept]
    user, item = train.user[kept], train.item[kept]
    return Interactions(user, item, None, train.n_users, train.n_items, train.ordered, weight=weight)


def sample(rows: Ragged, most: int, rng: np.random.Generator) -> tuple[Ragged, npt.NDArray[np.int64]]:
    """At most `most` values of each row, drawn without replacement, in their order; and which they are."""
    values, _ = rows.compact()
    row = rows.rows()
    shuffled = np.lexsort((rng.random(len(values)), row))
    kept = np.sort(shuffled[rows.positions() < most])
    return Ragged.from_offsets(values[kept], offsets_of(np.minimum(rows.lengths, most))), kept
