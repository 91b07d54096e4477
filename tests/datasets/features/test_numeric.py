"""Columns with one number a row."""

import numpy as np

from retrieval_leaderboard.datasets.features.numeric import Numeric, Scale


def scaled(scale, *numbers):
    return scale.inputs(Numeric(np.array(numbers, np.float32))).numbers[:, 0]


def test_numbers_have_mean_0_and_deviation_1():
    numbers = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    found = scaled(Scale.of(numbers), *numbers)
    assert abs(found.mean()) < 1e-6 and abs(found.std() - 1) < 1e-6


def test_equal_numbers_do_not_send_another_far_away():
    scale = Scale.of(np.array([9.99, 9.99, np.nan], np.float32))
    assert abs(scaled(scale, 9.99)[0]) < 1e-6 and 0 < scaled(scale, 10.99)[0] < 1
