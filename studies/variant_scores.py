"""Scores of the variants of an ablation."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from retrieval_leaderboard.studies.ablations import Settings, Setup, resolved
from retrieval_leaderboard.studies.scores import Finding


@dataclass(frozen=True)
class Score:
    """A variant's NDCG@20 over at least two seeds."""

    values: list[float]

    @property
    def mean(self) -> float:
        """Over seeds."""
        return mean(self.values)

    @property
    def variance(self) -> float:
        """Of the mean."""
        return stdev(self.values) ** 2 / len(self.values)

    def is_like(self, other: Score) -> bool:
        """Whether the two are within two standard errors of each other."""
        return abs(self.mean - other.mean) <= 2 * sqrt(self.variance + other.variance)

    def text(self, base: Score) -> str:
        """The mean, and the change from `base` in percent, with ≈ where it is within two standard errors."""
        if self is base:
            return f"{self.mean:.4f}"
        sign = "≈ " if self.is_like(base) else ""
        return f"{self.mean:.4f} ({sign}{self.mean / base.mean - 1:+.1%})"


def stored(setup: Setup, model: str, changed: Settings, records: list[Finding]) -> list[Finding]:
    """What is stored of a variant, the newest of each seed."""
    values = resolved(model, setup.settings | changed)
    by_seed = {
        each.seed: each
        for each in sorted(records, key=lambda each: each.date)
        if (each.name, each.model, each.settings) == (setup.dataset, model, values)
    }
    return list(by_seed.values())


def score(seeds: list[Finding]) -> Score | None:
    """Of what is stored of a variant; None where that is fewer than two seeds."""
    return Score([each.ndcg for each in seeds]) if len(seeds) > 1 else None
