"""AdamW whose cost depends on the rows a step touches, not on the size of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor, nn

from retrieval_leaderboard.neural.towers.distinct import distinct, would_sync
from retrieval_leaderboard.neural.towers.tables import Lease, Table
from retrieval_leaderboard.neural.training.prefetch import AHEAD, LINE, prefetch
from retrieval_leaderboard.neural.training.threads import in_parts

LOW_RATE = 0.1
"""Share of the learning rate at which parameters of low rate learn."""
Whole = tuple[Tensor, Tensor, Tensor]
"""A table and its two moments, float32[rows, dim] each"""


class RowwiseAdamW(torch.optim.Optimizer):
    """AdamW (Loshchilov & Hutter 2019) on leased table rows and on ordinary parameters.

    Rows that a step does not touch keep weight and moments: no decay, no momentum. Where every row
    is touched in every step the result is `torch.optim.AdamW`'s. Bias correction counts steps, not
    a row's own updates.

    Works with `torch.amp.GradScaler` without waiting for the device: a step whose gradients
    overflowed is undone by `torch.where` on `found_inf`.
    """

    _step_supports_amp_scaling = True  # GradScaler then hands over `found_inf` instead of reading it.
    found_inf: Tensor | None = None
    grad_scale: Tensor | None = None

    def __init__(
        self,
        module: nn.Module,
        lr: float,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        low_rate: Iterable[nn.Parameter] = (),
    ) -> None:
        """Parameters among `low_rate` learn at LOW_RATE of the rate."""
        self.tables = [part for part in module.modules() if isinstance(part, Table)]
        self.dense = list(module.parameters())
        marked = {id(each) for each in low_rate}
        self.shares = [LOW_RATE if id(each) in marked else 1.0 for each in self.dense]
        device = next(iter([*module.buffers(), *self.dense])).device
        self.steps = torch.zeros((), device=device, dtype=torch.float64)  # 1 - 0.999 is 5e-5 off in float32.
        weights = [table.weight for table in self.tables] + [each.data for each in self.dense]
        self.moments = [(torch.zeros_like(each), torch.zeros_like(each)) for each in weights]
        self.touched: list[Lease | None] = []
        """Of each table, the rows of this step, with gradients."""
        # Optimizer.__init__ would import the compiler, which takes longer than a small training.
        self.param_groups = [
            {"params": [], "lr": lr, "weight_decay": weight_decay, "betas": betas, "eps": eps}
        ]

    def collect(self) -> list[Tensor]:
        """Make this step's gradients the parameters', so that they are unscaled and clipped; return those."""
        self.touched = [table.touched() for table in self.tables]
        leaves = [part.leaf for part in self.touched if part is not None]
        self.param_groups[0]["params"] = [*leaves, *self.dense]
        return self.param_groups[0]["params"]

    def clip(self, longest: float) -> None:
        """Scale the collected gradients so that all together are no longer than `longest`."""
        if not would_sync(self.steps):
            if self._bound() <= longest:  # As in most steps, which spares a pass over the gradients.
                return
            self.touched = [None if part is None else of_rows(part) for part in self.touched]
        leaves = [part.leaf for part in self.touched if part is not None]
        torch.nn.utils.clip_grad_norm_([*leaves, *self.dense], longest)

    def _bound(self) -> float:
        """The length of all gradients together, or more: those of rows follow from those of sums."""
        gains = [1.0 if part.neighbors is None else part.neighbors.gain for part in self.touched if part]
        leaves = [part.leaf for part in self.touched if part]
        grads = [each.grad for each in (*leaves, *self.dense) if each.grad is not None]
        lengths = torch.stack([torch.linalg.vector_norm(grad) for grad in grads])
        return float((lengths * torch.tensor([*gains, *[1.0] * (len(grads) - len(gains))])).norm())

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Update the rows that `collect` found and the ordinary parameters, and end the leases."""
        skip = self.found_inf
        self.steps += 1 if skip is None else 1 - skip.to(self.steps.device)
        for table, part, moments in zip(
            self.tables, self.touched, self.moments[: len(self.tables)], strict=True
        ):
            if part is not None:
                update = self._update_rows if would_sync(table.weight) else self._update_rows_on_cpu
                update((table.weight, *moments), part)
        for which in self._dense_groups():
            self._update_dense(which, self.shares[which[0]])
        self.zero_grad()

    def _dense_groups(self) -> list[list[int]]:
        """Which ordinary parameters are updated as one: on a GPU, where launching an operation takes longer
        than most of their work, all of a learning rate.
        """
        every = range(len(self.dense))
        if not would_sync(self.steps):
            return [[at] for at in every]
        return [[at for at in every if self.shares[at] == share] for share in sorted(set(self.shares))]

    def _update_dense(self, which: list[int], share: float) -> None:
        """Update those of the ordinary parameters, at `share` of the learning rate, that have gradients."""
        moments = self.moments[len(self.tables) :]
        parts = [
            (self.dense[at].data, *moments[at], grad)
            for at in which
            if (grad := self.dense[at].grad) is not None
        ]
        if not parts:
            return
        weights, firsts, seconds, grads = zip(*parts, strict=True)
        old = _flat(weights), _flat(firsts), _flat(seconds)
        new = self._updated(*old, _flat(grads), share)
        for values, whole in zip(_keep(self.found_inf, old, new), (weights, firsts, seconds), strict=True):
            _copy_parts(values, whole)

    def _update_rows(self, whole: Whole, part: Lease) -> None:
        """Update the leased rows of a table and its moments."""
        _, first, second = whole
        row, leaf = part.row, part.leaf
        old = leaf.detach(), first[row], second[row]  # (r, dim) each
        new = self._updated(*old, leaf.grad)  # type: ignore[arg-type]
        for each, rows in zip(whole, _keep(self.found_inf, old, new), strict=True):
            each[row] = rows

    def _update_rows_on_cpu(self, whole: Whole, part: Lease) -> None:
        """The same, in one pass."""
        if self.found_inf is not None and self.found_inf.item():
            return
        assert part.leaf.grad is not None
        group, steps = self.param_groups[0], float(self.steps)
        beta1, beta2 = group["betas"]
        scalars = (
            1 - group["lr"] * group["weight_decay"], group["lr"] / (1 - beta1**steps),
            beta1, 1 - beta1, beta2, 1 - beta2, (1 - beta2**steps) ** -0.5, group["eps"],
        )  # fmt: skip
        numbers = tuple(np.float32(each) for each in scalars)
        arrays = [each.numpy() for each in (*whole, part.leaf.grad)]
        if part.neighbors is None:
            arrays.append(part.row.numpy())
            in_parts(lambda start, stop: update_rows(start, stop, numbers, *arrays), len(part.row))
            return
        arrays.extend(part.neighbors.transposed(part.row))
        in_parts(lambda start, stop: update_mixed_rows(start, stop, numbers, *arrays), len(whole[0]) - 1)

    def _updated(
        self, weight: Tensor, first: Tensor, second: Tensor, grad: Tensor, share: float = 1.0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Weights and moments after a step at `share` of the learning rate."""
        group = self.param_groups[0]
        rate = group["lr"] * share
        beta1, beta2 = group["betas"]
        first = torch.lerp(first, grad, 1 - beta1)
        second = (second * beta2).addcmul_(grad, grad, value=1 - beta2)
        root = (second / (1 - beta2**self.steps)).sqrt_().add_(group["eps"])
        kept = 1 - rate * group["weight_decay"]
        return weight * kept - rate / (1 - beta1**self.steps) * first / root, first, second

    def tensors(self) -> dict[str, Tensor]:
        """Steps and moments, which `load_tensors` takes back."""
        named = {
            f"{at}.{name}": each
            for at, pair in enumerate(self.moments)
            for name, each in zip("mv", pair, strict=True)
        }
        return {"steps": self.steps, **named}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what `tensors` gave."""
        for name, each in self.tensors().items():
            each.copy_(tensors[name])

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop gradients and leases."""
        self.touched = []
        for table in self.tables:
            table.leases = []
        for weight in self.dense:
            weight.grad = None


def _keep(skip: Tensor | None, old: Iterable[Tensor], new: Iterable[Tensor]) -> list[Tensor]:
    """`new`, or `old` where the step is to be skipped."""
    if skip is None:
        return list(new)
    return [torch.where(skip.to(a.device) > 0, a, b) for a, b in zip(old, new, strict=True)]


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    """All numbers of `tensors`, one behind the other."""
    return torch.cat([each.flatten() for each in tensors]) if len(tensors) > 1 else tensors[0]


def _copy_parts(values: Tensor, tensors: Sequence[Tensor]) -> None:
    """The way back of `_flat`."""
    if len(tensors) == 1:
        tensors[0].copy_(values)
        return
    parts = values.split([each.numel() for each in tensors])
    shaped = [part.view_as(each) for part, each in zip(parts, tensors, strict=True)]
    torch._foreach_copy_(list(tensors), shaped)


def of_rows(part: Lease) -> Lease:
    """A lease of the rows themselves, where neighbors were added to them."""
    if part.neighbors is None:
        return part
    assert part.leaf.grad is not None
    near = part.neighbors
    row, place = distinct(near.item[part.row], len(near.item))
    leaf = part.leaf.new_empty(len(row), part.leaf.shape[1])
    share = near.weight[part.row].unsqueeze(2) * part.leaf.grad.unsqueeze(1)  # (r, places, dim)
    leaf.grad = torch.zeros_like(leaf).index_add_(0, place.flatten(), share.flatten(0, 1))
    return Lease(row, leaf)


Numbers = tuple[np.float32, ...]
"""Of a step: 1 - learning rate · weight decay; learning rate / (1 - β₁^t); β₁; 1 - β₁; β₂; 1 - β₂;
1 / √(1 - β₂^t); and ε, which is added to the root of the second moment"""


@njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _update(w, m, v, g, numbers):
    """One AdamW step of a row, float32[dim] each, in place.

    Fused because memory bounds it: every number is read and written once, where a chain of tensor
    operations passes over copies of the rows a dozen times. Without a branch for a division by zero, which
    cannot be, it uses SIMD.
    """
    kept, rate, beta1, rest1, beta2, rest2, correction, eps = numbers
    for d in range(len(g)):
        m[d] = beta1 * m[d] + rest1 * g[d]
        v[d] = beta2 * v[d] + rest2 * g[d] * g[d]
        w[d] = kept * w[d] - rate * m[d] / (np.sqrt(v[d]) * correction + eps)


@njit(cache=True, nogil=True, inline="always")
def _ask(weight, first, second, row):
    """Have a row of a table and its moments, float32[rows, dim] each, in the cache soon."""
    for d in range(0, weight.shape[1], LINE):
        prefetch(weight, row, d)
        prefetch(first, row, d)
        prefetch(second, row, d)


@njit(cache=True, nogil=True, error_model="numpy")
def update_rows(start, stop, numbers, weight, first, second, grad, row):
    """One AdamW step of the rows row[start:stop] of `weight`, in place.

    Args:
        start, stop: the part of `row` and `grad`.
        numbers: `Numbers`.
        weight, first, second: float32[rows, dim], a table and its moments.
        grad: float32[r, dim].
        row: int64[r], distinct.
    """
    for at in range(start, stop):
        if at + AHEAD < stop:
            _ask(weight, first, second, row[at + AHEAD])
        _update(weight[row[at]], first[row[at]], second[row[at]], grad[at], numbers)


@njit(cache=True, nogil=True, error_model="numpy")
def update_mixed_rows(start, stop, numbers, weight, first, second, grad, offsets, source, share):
    """One AdamW step of those of the rows `start`..`stop` - 1 that take part in sums.

    Args:
        start, stop: the rows.
        numbers: `Numbers`.
        weight, first, second: float32[rows, dim], a table and its moments.
        grad: float32[n, dim], of the sums.
        offsets, source, share: `Edges`.
    """
    total = np.empty(grad.shape[1], np.float32)
    for row in range(start, stop):
        if row + AHEAD < stop and offsets[row + AHEAD] < offsets[row + AHEAD + 1]:
            _ask(weight, first, second, row + AHEAD)
        begin, end = offsets[row], offsets[row + 1]
        if begin < end:
            total[:] = 0
            for at in range(begin, end):
                added, factor = grad[source[at]], share[at]
                for d in range(len(total)):
                    total[d] += factor * added[d]
            _update(weight[row], first[row], second[row], total, numbers)
