"""Stochastic weight averaging (Izmailov et al. 2018): the mean of the weights that training comes by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from retrieval_leaderboard.neural.towers.two_tower_module import TwoTowerModule

EVERY = 10
"""Steps from one set of weights that counts to the next."""


class Averaging:
    """The mean of the weights of `towers` from a step on."""

    def __init__(self, towers: TwoTowerModule, first: int) -> None:
        """`first` is the step after which weights begin to count."""
        self.towers, self.first, self.count = towers, first, 0
        self.means: list[Tensor] = []

    @torch.no_grad()
    def look(self, step: int) -> None:
        """Count the weights as they are after `step` where it is due."""
        if step <= self.first or step % EVERY:
            return
        self.count += 1
        self.means = self.means or [torch.zeros_like(each) for each in self.towers.trained()]
        for mean, weight in zip(self.means, self.towers.trained(), strict=True):
            mean.lerp_(weight, 1 / self.count)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the means, if there are any yet, and the weights of the towers."""
        for mean, weight in zip(self.means, self.towers.trained(), strict=False):  # No means, no change.
            last = weight.clone()
            weight.copy_(mean)
            mean.copy_(last)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """The towers have the means for as long as it lasts."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    def tensors(self) -> dict[str, Tensor]:
        """Count and means, which `load_tensors` takes back."""
        return {"count": torch.tensor(self.count), **{str(at): each for at, each in enumerate(self.means)}}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what `tensors` gave."""
        self.count = int(tensors["count"])
        device = self.towers.item_known.device
        self.means = [tensors[str(at)].to(device) for at in range(len(tensors) - 1)]
