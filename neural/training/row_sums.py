"""Sums over a row's scores, which losses take of its negatives: in one pass over the scores on a CPU.

PyTorch passes over the matrix a dozen times, forward and backward, and memory bounds it. Notation: b rows
of m scores n_ij, x_ij = rate · n_ij + bias_i - shift_j.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numba import njit
from numba.core.dispatcher import Dispatcher
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.training.exact import softplus
from retrieval_leaderboard.neural.training.threads import fuses, in_parts

FAST = {"reassoc", "contract", "nsz", "arcp"}
"""What lets a compiler add up with SIMD; without it sums are of one number after the other."""


def hinge_sums(score: Tensor, margin: float) -> Tensor:
    """float[b]: Σⱼ (nᵢⱼ - margin)₊ of `score`, float[b, m]."""
    if not fuses(score):
        return functional.relu(score - margin).float().sum(dim=1)
    return _RowSums.apply(score, score.new_full((len(score),), -margin), None, 1.0, HINGE)


def softplus_sums(score: Tensor, temperature: float, bias: Tensor) -> Tensor:
    """float[b]: Σⱼ log(1 + exp(nᵢⱼ/τ + biasᵢ)) of `score`, float[b, m], and `bias`, float[b]."""
    if not fuses(score):
        return softplus(score.float() / temperature + bias.unsqueeze(1)).sum(dim=1)
    return _RowSums.apply(score, bias, None, 1 / temperature, SOFTPLUS)


def log_sum_exp(score: Tensor, temperature: float, log_q: Tensor | None = None) -> Tensor:
    """float[b]: log Σⱼ exp(nᵢⱼ/τ - log qⱼ) of `score`, float[b, m], and `log_q`, float[m] or 0."""
    if not fuses(score):
        scaled = score.float() / temperature
        return torch.logsumexp(scaled if log_q is None else scaled - log_q, dim=1)
    return _RowSums.apply(score, score.new_zeros(len(score)), log_q, 1 / temperature, LOG_SUM_EXP)


class _RowSums(torch.autograd.Function):
    """Σⱼ φ(xᵢⱼ) of every row, or log Σⱼ exp(xᵢⱼ), on a CPU."""

    @staticmethod
    def forward(
        ctx: Any, score: Tensor, bias: Tensor, shift: Tensor | None, rate: float, kind: Kind
    ) -> Tensor:
        score = score.contiguous()
        shift = score.new_zeros(score.shape[1]) if shift is None else shift.contiguous()
        sums = torch.empty_like(bias, memory_format=torch.contiguous_format)
        ctx.save_for_backward(score, bias.contiguous(), shift, sums)
        ctx.rate, ctx.kind = np.float32(rate), kind
        arrays = [each.detach().numpy() for each in ctx.to_save]
        in_parts(lambda start, stop: kind.sums(start, stop, ctx.rate, *arrays), len(score))
        return sums

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        score, bias = ctx.saved_tensors[:2]
        of_score, of_bias = torch.empty_like(score), torch.empty_like(bias)
        every = (*ctx.saved_tensors, grad.contiguous(), of_score, of_bias)
        arrays = [each.detach().numpy() for each in every]
        in_parts(lambda start, stop: ctx.kind.slopes(start, stop, ctx.rate, *arrays), len(score))
        return of_score, of_bias, None, None, None


class Kind(NamedTuple):
    """What is summed, as kernels of the rows `start`..`stop` - 1; all arrays are float32.

    `sums(start, stop, rate, score[b, m], bias[b], shift[m], sums[b])` writes `sums`, and
    `slopes(…, grad[b], of_score[b, m], of_bias[b])`, given their gradient, those of `score` and `bias`.
    """

    sums: Dispatcher
    slopes: Dispatcher


LOG2_E, LN_2 = np.float32(1 / math.log(2)), np.float32(math.log(2))
ZERO, ONE, TWO, HALF = (np.float32(each) for each in (0, 1, 2, 0.5))
LEAST = np.float32(-87)
"""exp of less is no normal float32"""
EXP = tuple(np.float32(1 / math.factorial(n)) for n in (6, 5, 4, 3, 2))
ATANH = tuple(np.float32(1 / n) for n in (15, 13, 11, 9, 7, 5, 3))


@njit(inline="always", fastmath={"contract"})
def fast_exp(x):
    """exp(x) to 2e-7 of it for x ≤ 80: 2ⁿ · exp(r) with |r| ≤ ½ log 2, by the series, in SIMD."""
    x = max(x, LEAST)
    n = np.floor(x * LOG2_E + HALF)
    r = x - n * LN_2
    series = EXP[0]
    for at in range(1, 5):
        series = series * r + EXP[at]
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return ((series * r + ONE) * r + ONE) * power


@njit(inline="always", fastmath={"contract"})
def _log_1_plus(e):
    """log(1 + e) for 0 ≤ e ≤ 1: 2 atanh(e / (2 + e)) by the series, as exact for a small e."""
    s = e / (TWO + e)
    square, series = s * s, ATANH[0]
    for at in range(1, 7):
        series = series * square + ATANH[at]
    return TWO * s * (series * square + ONE)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _hinge(start, stop, rate, score, bias, shift, sums):
    for i in range(start, stop):
        row, offset, total = score[i], bias[i], ZERO
        for j in range(len(row)):
            total += max(row[j] + offset, ZERO)
        sums[i] = total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _hinge_slopes(start, stop, rate, score, bias, shift, sums, grad, of_score, of_bias):
    for i in range(start, stop):
        row, offset, factor, total = score[i], bias[i], grad[i], ZERO
        for j in range(len(row)):
            slope = factor if row[j] + offset > ZERO else ZERO
            of_score[i, j] = slope
            total += slope
        of_bias[i] = total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _softplus(start, stop, rate, score, bias, shift, sums):
    for i in range(start, stop):
        row, offset, total = score[i], bias[i], ZERO
        for j in range(len(row)):
            x = rate * row[j] + offset
            total += max(x, ZERO) + _log_1_plus(fast_exp(-abs(x)))
        sums[i] = total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _softplus_slopes(start, stop, rate, score, bias, shift, sums, grad, of_score, of_bias):
    for i in range(start, stop):
        row, offset, factor, total = score[i], bias[i], grad[i], ZERO
        for j in range(len(row)):
            x = rate * row[j] + offset
            small = fast_exp(-abs(x)) if abs(x) < -LEAST else ZERO
            slope = factor * (ONE if x > ZERO else small) / (ONE + small)
            of_score[i, j] = rate * slope
            total += slope
        of_bias[i] = total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _log_sum_exp(start, stop, rate, score, bias, shift, sums):
    x = np.empty(score.shape[1], np.float32)
    for i in range(start, stop):
        row, total = score[i], ZERO
        for j in range(len(x)):
            x[j] = rate * row[j] - shift[j]
        top = _largest(x)
        for j in range(len(x)):
            total += fast_exp(x[j] - top)
        sums[i] = top + np.log(total)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _log_sum_exp_slopes(start, stop, rate, score, bias, shift, sums, grad, of_score, of_bias):
    for i in range(start, stop):
        row, factor, total = score[i], rate * grad[i], sums[i]
        for j in range(len(row)):
            x = rate * row[j] - shift[j] - total
            of_score[i, j] = factor * fast_exp(x) if x > LEAST else ZERO
        of_bias[i] = grad[i]


@njit(cache=True, nogil=True)
def _largest(x):
    """The largest of `x`, float32[m]: of 16 numbers side by side, which one number at a time would not be."""
    tops = np.full(16, -np.inf, np.float32)
    full = len(x) // 16 * 16
    for at in range(0, full, 16):
        for lane in range(16):
            tops[lane] = x[at + lane] if x[at + lane] > tops[lane] else tops[lane]
    for j in range(full, len(x)):
        tops[0] = max(tops[0], x[j])
    return tops.max()


HINGE = Kind(_hinge, _hinge_slopes)
SOFTPLUS = Kind(_softplus, _softplus_slopes)
LOG_SUM_EXP = Kind(_log_sum_exp, _log_sum_exp_slopes)
