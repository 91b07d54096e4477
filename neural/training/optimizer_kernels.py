"""The compiled AdamW update of the rows of a table."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def update_rows(
    start, stop, weight, first, second, row, grad, kept, rate, beta1, rest1, beta2, rest2, correction, eps
):
    """One AdamW step of the rows row[start:stop] of `weight`, in place.

    Fused because memory bounds it: every number is read and written once, where a chain of tensor
    operations passes over copies of the rows a dozen times.

    Args:
        start, stop: the part of `row` and `grad`.
        weight, first, second: float32[rows, dim], a table and its moments.
        row: int64[r], distinct.
        grad: float32[r, dim].
        kept: 1 - learning rate · weight decay. This and all that follow: float32.
        rate: learning rate / (1 - β₁^t).
        beta1, rest1, beta2, rest2: β₁, 1 - β₁, β₂ and 1 - β₂.
        correction: 1 / √(1 - β₂^t).
        eps: added to the root of the second moment.
    """
    for at in range(start, stop):
        w, m, v, g = weight[row[at]], first[row[at]], second[row[at]], grad[at]
        for d in range(len(g)):
            m[d] = beta1 * m[d] + rest1 * g[d]
            v[d] = beta2 * v[d] + rest2 * g[d] * g[d]
            w[d] = kept * w[d] - rate * m[d] / (np.sqrt(v[d]) * correction + eps)
