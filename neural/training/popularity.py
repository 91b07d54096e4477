"""By which power of their popularity items are ranked best."""

from __future__ import annotations

from collections.abc import Callable

EXPONENTS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3)
"""Among which validation chooses: the first than which none beside it is better"""
SCORED = 3
"""How many of them an evaluation scores, as a rule: the best so far and those beside it"""


def climb(score: Callable[[float], float], start: float) -> tuple[float, float]:
    """From `start` on, the first of `EXPONENTS` than which none beside it scores higher; and its score."""
    scores = {start: score(start)}
    while True:
        at = EXPONENTS.index(start)
        for beside in EXPONENTS[max(at - 1, 0) : at + 2]:
            if beside not in scores:
                scores[beside] = score(beside)
        best = max(scores, key=lambda each: scores[each])  # Of equals the one known first.
        if best == start:
            return best, scores[best]
        start = best
