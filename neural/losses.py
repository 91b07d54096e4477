"""Losses of a pair (row, target) against the negatives that its whole row shares.

Notation: b rows of a batch, p pairs, m shared negatives. Each loss takes

    positive  float[p]     score of each pair
    negative  float[b, m]  score of each row with each negative; where it is no negative of the row, finite
                           and far below any score (-inf would make NaN of a row that has none left)
    row       int64[p]     the row of each pair
    count     number       the negatives that a mean is taken over: m, less the columns that are no negative
                           of any row

and returns float[p]. The part that depends on the negatives only is computed once a row, whatever
the number of its targets.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.training.exact import of_pairs, softplus
from retrieval_leaderboard.neural.training.row_sums import hinge_sums, log_sum_exp, softplus_sums
from retrieval_leaderboard.neural.training.scores import HIT_SCORE


def sampled_softmax(
    positive: Tensor, negative: Tensor, row: Tensor, temperature: float, log_q: Tensor | None = None
) -> Tensor:
    """-log of exp(p/τ) / (exp(p/τ) + Σⱼ exp(nⱼ/τ - log qⱼ)), van den Oord et al. 2018 eq. 4.

    `log_q` float[m] is the log of the probability that negative j is in the sample: the correction
    of Yi et al. 2019 (eq. 4), which makes the sum an unbiased estimate of the sum over the
    catalog. The target is left uncorrected: it is always there (Khrylchenko et al. 2025,
    arXiv 2507.09331).
    """
    together = log_sum_exp(negative, temperature, log_q)  # (rows,)
    return softplus(of_pairs(together, row) - positive.float() / temperature)


def bilateral_softmax(
    positive: Tensor, negative: Tensor, row: Tensor, temperature: float, negative_weight: float
) -> Tensor:
    """-p/τ + w log Σⱼ exp(nⱼ/τ), Wu et al. 2023 (BSL) for one target at a time.

    The target is not in the sum: with w = 1 this is the sampled softmax less that term. Where every
    negative of a row is an item of its user, the sum is left out.
    """
    pushed = log_sum_exp(negative, temperature)  # (rows,)
    pushed = torch.where(pushed > HIT_SCORE / 2 / temperature, pushed, 0.0)
    return negative_weight * of_pairs(pushed, row) - positive.float() / temperature


def cosine_contrastive(
    positive: Tensor,
    negative: Tensor,
    row: Tensor,
    count: Tensor | int,
    margin: float,
    negative_weight: float,
) -> Tensor:
    """(1 - p)₊ + w/m Σⱼ (nⱼ - margin)₊, Mao et al. 2021 (SimpleX) eq. 1."""
    pushed = hinge_sums(negative, margin) / count  # (rows,)
    return functional.relu(1 - positive.float()) + negative_weight * of_pairs(pushed, row)


def binary_cross_entropy(
    positive: Tensor,
    negative: Tensor,
    row: Tensor,
    count: Tensor | int,
    temperature: float,
    bias: Tensor,
    negative_weight: float,
) -> Tensor:
    """-log σ(p/τ + bias) - w/m Σⱼ log(1 - σ(nⱼ/τ + bias))."""
    # One a row: the gradient of a single number would be summed over the whole matrix at once.
    biases = bias.expand(len(negative))
    refused = softplus_sums(negative, temperature, biases) / count  # (rows,)
    missed = softplus(-positive.float() / temperature - of_pairs(biases, row))
    return missed + negative_weight * of_pairs(refused, row)


def generalized_bce(
    positive: Tensor, negative: Tensor, row: Tensor, count: Tensor | int, others: int, calibration: float
) -> Tensor:
    """-(β log σ(p) + Σⱼ log(1 - σ(nⱼ))) / (m + 1), Petrov & Macdonald 2023 (gSASRec).

    β = t (α - 1) + 1, where α = m / `others`, at most 1, is the share of the catalog beside the target that
    the m negatives are, and t is `calibration`: at 0 it is plain binary cross-entropy, at 1 its scores are
    calibrated whatever m.
    """
    rate = count / others
    rate = rate.clamp(max=1) if isinstance(rate, Tensor) else min(rate, 1.0)
    kept = softplus(-positive.float()) * (calibration * (rate - 1) + 1)
    refused = softplus(negative.float()).sum(dim=1)  # (rows,)
    return (kept + of_pairs(refused, row)) / (count + 1)
