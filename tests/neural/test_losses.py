import math

import pytest
import torch
from torch.testing import assert_close

from retrieval_leaderboard.neural import losses

POSITIVE = torch.tensor([0.9, 0.1, -0.4])  # (pairs,)
NEGATIVE = torch.tensor([[0.8, -0.2, 0.3, 0.5], [0.1, 0.95, -0.7, 0.0]])  # (rows, negatives)
ROW = torch.tensor([0, 0, 1])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def each_pair(formula) -> torch.Tensor:
    pairs = zip(POSITIVE.tolist(), ROW.tolist(), strict=True)
    return torch.tensor([formula(positive, NEGATIVE[row].tolist()) for positive, row in pairs])


def test_sampled_softmax_is_the_cross_entropy_of_target_against_negatives() -> None:
    def formula(positive: float, negatives: list[float]) -> float:
        terms = [math.exp(score / 0.2) for score in [positive, *negatives]]
        return -math.log(terms[0] / sum(terms))

    assert_close(losses.sampled_softmax(POSITIVE, NEGATIVE, ROW, 0.2), each_pair(formula))


def test_log_q_divides_each_negative_by_its_probability() -> None:
    q = [0.5, 0.1, 0.9, 0.25]

    def formula(positive: float, negatives: list[float]) -> float:
        target = math.exp(positive / 0.2)
        rest = sum(math.exp(score / 0.2) / chance for score, chance in zip(negatives, q, strict=True))
        return -math.log(target / (target + rest))

    corrected = losses.sampled_softmax(POSITIVE, NEGATIVE, ROW, 0.2, torch.tensor(q).log())
    assert_close(corrected, each_pair(formula))


def test_bilateral_softmax_weighs_the_log_sum_of_the_negatives() -> None:
    def formula(positive: float, negatives: list[float]) -> float:
        return 1.3 * math.log(sum(math.exp(score / 0.2) for score in negatives)) - positive / 0.2

    assert_close(losses.bilateral_softmax(POSITIVE, NEGATIVE, ROW, 0.2, 1.3), each_pair(formula))


def test_cosine_contrastive_is_equation_1() -> None:
    def formula(positive: float, negatives: list[float]) -> float:
        return max(0, 1 - positive) + 30 * sum(max(0, score - 0.4) for score in negatives) / len(negatives)

    assert_close(losses.cosine_contrastive(POSITIVE, NEGATIVE, ROW, 4, 0.4, 30), each_pair(formula))


def test_binary_cross_entropy_weighs_the_mean_of_the_negatives() -> None:
    def formula(positive: float, negatives: list[float]) -> float:
        refused = sum(math.log(1 - sigmoid(score / 0.5 - 1)) for score in negatives) / len(negatives)
        return -math.log(sigmoid(positive / 0.5 - 1)) - 7 * refused

    loss = losses.binary_cross_entropy(POSITIVE, NEGATIVE, ROW, 4, 0.5, torch.tensor(-1.0), 7)
    assert_close(loss, each_pair(formula))


@pytest.mark.parametrize("calibration", [0.0, 0.6, 1.0])
def test_generalized_bce_raises_the_chance_of_the_target_to_a_power(calibration: float) -> None:
    rate = 4 / 50

    def formula(positive: float, negatives: list[float]) -> float:
        power = rate * (calibration * (1 - 1 / rate) + 1 / rate)
        refused = sum(math.log(1 - sigmoid(score)) for score in negatives)
        return -(math.log(sigmoid(positive) ** power) + refused) / 5

    for count in (4, torch.tensor(4)):  # A GPU alone knows how many there are.
        loss = losses.generalized_bce(POSITIVE, NEGATIVE, ROW, count, 50, calibration)
        assert_close(loss, each_pair(formula))


def test_generalized_bce_counts_no_column_without_a_negative() -> None:
    unused = torch.full((len(NEGATIVE), 2), -65504.0)
    more = torch.cat([NEGATIVE, unused], dim=1)
    one, other = (losses.generalized_bce(POSITIVE, each, ROW, 4, 50, 0.6) for each in (NEGATIVE, more))
    assert_close(one, other)


@pytest.mark.parametrize("hit", [-65504.0, float("-inf")])
def test_a_masked_negative_costs_nothing(hit: float) -> None:
    masked = NEGATIVE.clone()
    masked[:, 1] = hit
    without = NEGATIVE[:, [0, 2, 3]]
    assert_close(
        losses.sampled_softmax(POSITIVE, masked, ROW, 0.2),
        losses.sampled_softmax(POSITIVE, without, ROW, 0.2),
    )
    assert_close(
        losses.bilateral_softmax(POSITIVE, masked, ROW, 0.2, 1.3),
        losses.bilateral_softmax(POSITIVE, without, ROW, 0.2, 1.3),
    )
    # The mean stays one over all m drawn negatives.
    contrast = losses.cosine_contrastive(POSITIVE, masked, ROW, 4, 0.0, 4)
    assert_close(contrast, losses.cosine_contrastive(POSITIVE, without, ROW, 3, 0.0, 3))


def test_bilateral_softmax_of_a_row_without_a_negative_is_that_of_the_target() -> None:
    masked = NEGATIVE.clone()
    masked[0] = -65504.0
    found = losses.bilateral_softmax(POSITIVE, masked, ROW, 0.2, 1.3)
    assert_close(found[ROW == 0], -POSITIVE[ROW == 0] / 0.2)
    assert_close(found[ROW != 0], losses.bilateral_softmax(POSITIVE, NEGATIVE, ROW, 0.2, 1.3)[ROW != 0])
