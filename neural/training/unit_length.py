"""Vectors of length 1, as the cosine takes them: in one pass over them on a CPU, and one for the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.nn import functional

from retrieval_leaderboard.neural.training.threads import fuses, in_parts

SHORTEST = np.float32(1e-12)
"""What is divided by at least, as in PyTorch"""


def unit_length(vectors: Tensor) -> Tensor:
    """`vectors`, float[n, d], scaled to length 1; zeros stay zeros."""
    return _UnitLength.apply(vectors) if fuses(vectors) else functional.normalize(vectors, dim=1)


class _UnitLength(torch.autograd.Function):
    """`unit_length` on a CPU."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor) -> Tensor:
        vectors = vectors.contiguous()
        units, length = torch.empty_like(vectors), vectors.new_empty(len(vectors))
        arrays = [each.detach().numpy() for each in (vectors, units, length)]
        in_parts(lambda start, stop: scale(start, stop, *arrays), len(vectors))
        ctx.save_for_backward(units, length)
        return units

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        found = torch.empty_like(ctx.saved_tensors[0])
        arrays = [each.detach().numpy() for each in (grad.contiguous(), *ctx.saved_tensors, found)]
        in_parts(lambda start, stop: scale_gradient(start, stop, *arrays), len(found))
        return found


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"}, error_model="numpy")
def scale(start, stop, vectors, units, length):
    """Write the rows `start`..`stop` - 1 of `vectors` over their lengths to `units`.

    Args:
        start, stop: the rows.
        vectors, units: float32[n, d].
        length: float32[n], written.
    """
    for i in range(start, stop):
        square = np.float32(0)
        for d in range(vectors.shape[1]):
            square += vectors[i, d] * vectors[i, d]
        length[i] = max(np.sqrt(square), SHORTEST)
        factor = np.float32(1) / length[i]
        for d in range(vectors.shape[1]):
            units[i, d] = vectors[i, d] * factor


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"}, error_model="numpy")
def scale_gradient(start, stop, grad, units, length, found):
    """Write (g - u (u · g)) / length of the rows `start`..`stop` - 1 to `found`; g / length of a zero vector.

    Args:
        start, stop: the rows.
        grad, units, found: float32[n, d].
        length: float32[n].
    """
    for i in range(start, stop):
        along, factor = np.float32(0), np.float32(1) / length[i]
        for d in range(grad.shape[1]):
            along += grad[i, d] * units[i, d]
        for d in range(grad.shape[1]):
            found[i, d] = (grad[i, d] - along * units[i, d]) * factor
