"""Towers of items that look like the others of their block."""

from __future__ import annotations

import numpy as np

from retrieval_leaderboard.datasets import Interactions
from retrieval_leaderboard.evaluation.planted import BLOCKS
from retrieval_leaderboard.neural.two_tower import TwoTower


def check_looks(model: TwoTower, train: Interactions) -> None:
    """Cold and new items stand where those stand that look like them."""
    vectors = model.encode_items()
    near = vectors[0] @ vectors.T
    assert near[[4, 8, 12]].mean() > near[[1, 2, 3, 5, 6, 7]].mean() + 0.2
    new = model.encode_new_items(train.item_features.take(np.array([2])))
    assert set((np.argsort(-(vectors @ new[0]))[:4] % BLOCKS).tolist()) == {2}
