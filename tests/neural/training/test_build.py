"""What settings and counts come to: every user and item here has another number of interactions."""

import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.batches.examples import InteractionTensors
from retrieval_leaderboard.neural.training.build import batcher_of, item_weights

COUNTS = np.array([1, 4, 9, 0])
TRAIN = Interactions(
    user=np.repeat(np.arange(4, dtype=np.int32), COUNTS),
    item=np.concatenate([np.arange(count) for count in COUNTS]).astype(np.int32),
    timestamp=None,
    n_users=4,
    n_items=10,
)


def batcher(**settings):
    return batcher_of(
        InfoNCE(**settings).resolved(TRAIN, None), InteractionTensors.of(TRAIN, "cpu"), torch.Generator()
    )


def test_the_more_items_a_user_has_the_less_a_pair_weighs() -> None:
    weight = batcher(user_exponent=0.5).user_weight.tolist()
    assert weight == pytest.approx([1, 1 / 2, 1 / 3, 1])
    assert batcher(user_exponent=0.0).user_weight.tolist() == [1, 1, 1, 1]


def test_negatives_are_drawn_the_more_the_more_popular_they_are() -> None:
    chance = batcher(negative_exponent=0.5).samplers[0].chance.numpy()
    expected = TRAIN.item_counts**0.5
    np.testing.assert_allclose(chance, expected / expected.sum())


def test_popularity_is_the_share_of_the_interactions() -> None:
    np.testing.assert_allclose(batcher().samplers[-1].popularity.numpy(), TRAIN.item_counts / len(TRAIN))


def test_a_popular_item_weighs_less_in_a_history() -> None:
    weight = item_weights(InfoNCE(history_exponent=0.5), TRAIN)
    np.testing.assert_allclose(weight, [3**-0.5, *[2**-0.5] * 3, *[1] * 6], rtol=1e-6)
