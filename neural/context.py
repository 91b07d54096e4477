"""The hour and the weekday of a moment, as vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

HOUR, DAY = 3600, 86_400
FIRST_WEEKDAY = 4
"""1970-01-01 was a Thursday."""


class ContextEncoder(nn.Module):
    """One vector for the hour, one for the weekday, both at UTC; where the moment is not known, zero.

    A time zone only renames the hours; weekdays turn at midnight UTC.
    """

    fields = 2

    def __init__(self, dim: int, scale: float, generator: torch.Generator | None) -> None:
        super().__init__()
        self.hour = nn.Parameter(torch.randn(24, dim, generator=generator) * scale)
        self.weekday = nn.Parameter(torch.randn(7, dim, generator=generator) * scale)

    def forward(self, second: Tensor | None, n: int) -> Tensor:
        """float[n, 2, d] of unix seconds int64[n]."""
        if second is None:
            return self.hour.new_zeros(n, self.fields, self.hour.shape[1])
        hour, weekday = second // HOUR % 24, (second // DAY + FIRST_WEEKDAY) % 7
        return torch.stack([self.hour[hour], self.weekday[weekday]], dim=1)
