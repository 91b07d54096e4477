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


class StreamingFrequency:
    """How often an item is among a batch's targets, estimated from the batches as they pass.

    Yi et al. 2019 (Sampling-bias-corrected neural modeling), algorithm 2: the running mean of the steps
    between two sightings; its inverse is the probability of being in a batch.
    """

    def __init__(self, n_items: int, device: torch.device | str, rate: float = 0.05) -> None:
        """`rate` is the weight α of the newest gap in the running mean."""
        self.rate = rate
        # One place more takes what is no item.
        self.last, self.gap = (torch.zeros(n_items + 1, device=device) for _ in range(2))
        self.step = torch.zeros((), device=device)

    def see(self, items: Tensor) -> None:
        """Count a batch with the targets `items`, int64[n]; repeats count once."""
        self.step += 1
        gap = self.step - self.last[items]
        mean = torch.lerp(self.gap[items], gap, self.rate)
        self.gap[items] = torch.where(self.last[items] == 0, gap, mean)
        self.last[items] = self.step

    def chance(self, items: Tensor) -> Tensor:
        """float64[m]: the probability of each of `items` to be among a batch's targets."""
        return torch.where(self.gap[items] > 0, 1 / self.gap[items].clamp(min=1), 0.0).double()


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
