"""Which trial comes next: successive halving (Jamieson & Talwalkar 2016) over lengths of training.

A third of the budget draws settings and trains them for a third of the model's own length, a third trains
the best of those for all of it, and the last third the best of these for three times as long. As each length
takes three times the time of the one before, about every third trial is promoted. Only the best third of a
length is, as in asynchronous halving (Li et al. 2020): a budget with room for few trials draws more, where
none of them is worth a longer training yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LENGTHS = (1 / 3, 1.0, 3.0)
"""Lengths of training, in those of the model's own"""
OWN = 1.0
REDUCTION = 3
"""Of how many trials of a length the best one is promoted"""
PATIENCE = 50
"""Draws in a row without a better score after which no more are drawn in a budget of time"""
ROUNDING = 1e-9


@dataclass(frozen=True)
class Trial:
    """One that came to an end."""

    settings: dict[str, Any]
    """Those that were searched"""
    length: float
    score: float | None
    """None where it failed"""
    share: float
    """What it took of the budget"""


@dataclass(frozen=True)
class Step:
    """A trial to be made."""

    length: float
    settings: dict[str, Any] | None = None
    """None to draw them"""


def following(done: Sequence[Trial], lengths: Sequence[float], draws: bool = True) -> Step | None:
    """The next trial after the first; None where the budget has no room for one more, or nothing is left.

    Args:
        done: every trial so far, in their order, at least one.
        lengths: of training, shortest first; one alone where a model has none to vary.
        draws: whether settings may still be drawn; else the rest of the budget is for promotions.
    """
    used = sum(each.share for each in done)
    if used >= 1 - ROUNDING:
        return None
    for step in _wanted(done, lengths, used if draws else 1.0):
        if (draws or step.settings) and used + _expected(step, done) <= 1 + ROUNDING:
            return step
    return None


def exhausted(done: Sequence[Trial], shortest: float) -> bool:
    """Whether the last PATIENCE draws were no better than those before them."""
    scores = [each.score or 0.0 for each in done if each.length == shortest]
    return len(scores) > PATIENCE and max(scores[-PATIENCE:]) <= max(scores[:-PATIENCE])


def _wanted(done: Sequence[Trial], lengths: Sequence[float], used: float) -> Iterator[Step]:
    """A step of the length whose part of the budget is reached; then of the shorter ones."""
    reached = min(int(used * len(lengths) + ROUNDING), len(lengths) - 1)
    for at in range(reached, 0, -1):
        if promoted := _best(done, lengths[at - 1], lengths[at]):
            yield Step(lengths[at], promoted.settings)
    yield Step(lengths[0])


def _best(done: Sequence[Trial], length: float, longer: float) -> Trial | None:
    """The best trial among the best third of a length whose settings have none of the longer one."""
    known = [each.settings for each in done if each.length == longer]
    alike = [each for each in done if each.length == length]
    ranked = sorted(
        (each for each in alike if each.score is not None), key=lambda each: each.score or 0.0, reverse=True
    )
    best = ranked[: len(alike) // REDUCTION]
    return next((each for each in best if each.settings not in known), None)


def _expected(step: Step, done: Sequence[Trial]) -> float:
    """The share of the budget that a trial will take, by those of its settings or else by the mean of all."""
    same = [each for each in done if each.settings == step.settings]
    return max(each.share / each.length * step.length for each in same) if same else _mean(step, done)


def _mean(step: Step, done: Sequence[Trial]) -> float:
    alike = [each for each in done if each.length == step.length] or done
    return sum(each.share / each.length for each in alike) / len(alike) * step.length
