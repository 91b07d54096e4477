"""Which items stand against the targets of a batch: shared by all its rows."""

from __future__ import annotations

import torch
from torch import Tensor


class NegativeSampler:
    """Draws items that have training interactions, or any, with probability ∝ count^exponent."""

    def __init__(self, item_counts: Tensor, n: int, exponent: float, cold: bool = False) -> None:
        """`item_counts` int64[n_items]: training interactions of each item; `n` draws a batch.

        `cold` items, without any, count as if they had one, or are not drawn.
        """
        self.n = n
        self.exponent = exponent
        counts = item_counts.clamp(min=int(cold))
        self.candidates = torch.nonzero(counts).squeeze(1)  # (candidates,)
        weight = torch.where(counts > 0, counts.double() ** exponent, 0.0)
        self.chance = weight / weight.sum()
        """float64[n_items]: the chance of each item in one draw"""
        self.cumulative = torch.cumsum(self.chance[self.candidates], 0)

    def draw(self, generator: torch.Generator) -> Tensor:
        """int64[n]: items, with replacement."""
        size, device = len(self.candidates), self.candidates.device
        if self.exponent == 0:
            place = torch.randint(size, (self.n,), generator=generator, device=device)
        else:
            points = torch.rand(self.n, generator=generator, device=device, dtype=torch.float64)
            place = torch.searchsorted(self.cumulative, points).clamp_(max=size - 1)
        return self.candidates[place]


def log_inclusion(samples: list[tuple[Tensor, int]]) -> Tensor:
    """Log of the probability that an item is drawn at least once.

    Args:
        samples: for each source, the chance of each of m items in one draw, float64[m], and the
            number of draws.

    Returns:
        float32[m]: log(1 - Πₛ (1 - chanceₛ)^drawsₛ).
    """
    missed = sum(draws * torch.log1p(-chance.clamp(max=1 - 1e-9)) for chance, draws in samples)
    return torch.log(-torch.expm1(torch.as_tensor(missed))).float()
