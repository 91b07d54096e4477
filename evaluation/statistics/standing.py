"""What statistics say of the rows of a board."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """Where a row stands among the others."""

    rank: str
    """ "2", or "1–3" for rows whose order is within noise"""
    metrics: dict[str, Interval]
    """Per-query metric → its mean over queries and seeds"""
    lead: Interval | None
    """NDCG minus the reference row's on the same queries; None of the reference itself, and without one"""
    p: float | None
    """Of the paired test of that difference, corrected for several comparisons (Holm 1979)"""


@dataclass(frozen=True)
class BoardStatistics:
    """Of all rows of a board, in its order."""

    reference: int | None
    """The row that the others are compared with: ItemCF's; None where there is none"""
    standings: list[Standing | None]
    """None for a row without stored metrics of its queries"""
    p_values: npt.NDArray[np.float64]
    """float64[rows, rows] of the paired tests of NDCG, corrected; NaN where a row has no such metrics"""
