"""Paired t-tests between rows on the same queries, corrected for their number, and the ranks they leave open.

Of the tests that are used for lists, the paired t-test keeps its level best and has most power (Urbano,
Lima & Hanjalic 2019), and it agrees with the randomization test (Smucker, Allan & Carterette 2007). A
randomization test swaps queries and cannot hold what seeds add; the variance of a t-test can.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEVEL = 0.05
BLOCK = 2**14
"""Queries that are read together"""


def covariance(columns: Sequence[npt.NDArray[np.floating]], centers: Floats) -> Floats:
    """float64[c, c]: over queries (n − 1), of c arrays of q ≥ 2 numbers with means `centers`, without NaN."""
    total, queries = np.zeros((len(columns), len(columns))), len(columns[0])
    for start in range(0, queries, BLOCK):
        block = np.stack([column[start : start + BLOCK] for column in columns]).T - centers
        total += block.T @ block
    return total / (queries - 1)


def p_values(means: Floats, covariances: Floats, queries: int, seeds: Sequence[tuple[float, int]]) -> Floats:
    """Two-sided p of every pair of rows having the same mean.

    t = (m_i − m_j) / se with se² = var_q(m_qi − m_qj) / n + sd_i² / s_i + sd_j² / s_j: the paired t-test over
    n queries, with the spread sd of the means of a row's s seeds added. Its degrees of freedom are those
    of Satterthwaite (1946) and Welch (1947).

    Args:
        means: float64[r], over queries and seeds.
        covariances: float64[r, r] of the rows over queries.
        queries: how many.
        seeds: for each row, the standard deviation of its runs' means (0 for one run), and their number.

    Returns:
        float64[r, r], 1 on the diagonal.
    """
    from scipy.special import stdtr  # Of scipy.stats, which is long in coming, the one function needed.

    own = np.diag(covariances)
    over_queries = np.maximum(own[:, None] + own - 2 * covariances, 0.0) / queries
    runs = np.array([count for _, count in seeds], dtype=np.float64)
    over_seeds = np.array([deviation for deviation, _ in seeds]) ** 2 / runs
    variance = over_queries + over_seeds[:, None] + over_seeds
    each = over_seeds**2 / np.maximum(runs - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = variance**2 / (over_queries**2 / (queries - 1) + each[:, None] + each)
        statistic = np.abs(means[:, None] - means) / np.sqrt(variance)
    found = np.asarray(2 * stdtr(freedom, -statistic), dtype=np.float64)
    # Without any variance a difference is certain, and equal rows are equal.
    found[variance == 0] = (means[:, None] == means)[variance == 0]
    np.fill_diagonal(found, 1.0)
    return found


def holm(p: Floats) -> Floats:
    """A family of p-values, float64[m], corrected by Holm (1979).

    The i-th smallest becomes the largest of min(1, (m − j + 1) p_j) over j ≤ i; NaN stay and do not count.
    """
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    corrected = p.copy()
    corrected[order] = np.maximum.accumulate(np.minimum(p[order] * np.arange(len(order), 0, -1), 1.0))
    return corrected


def holm_pairs(p: Floats, family: npt.NDArray[np.bool_]) -> Floats:
    """The pairs of a symmetric float64[r, r] corrected in two families.

    Args:
        p: of every pair.
        family: bool[r]; pairs of two such rows are one family, all others the second.
    """
    first, second = np.triu_indices(len(p), 1)
    inside = family[first] & family[second]
    corrected = p.copy()
    for which in (inside, ~inside):
        rows, columns = first[which], second[which]
        corrected[rows, columns] = corrected[columns, rows] = holm(p[rows, columns])
    return corrected


def ranks(means: Floats, corrected: Floats) -> list[str]:
    """The ranks that each row may have, by tests of all pairs: "2", or "1–3".

    From 1 + the number of rows that are significantly better to r − the number of those that are
    significantly worse: with p corrected for all pairs, all these ranges hold at once with 95 % confidence
    (Mogstad, Romano, Shaikh & Wilhelm 2024). So that no row's range begins, or ends, above that of a row
    with a better mean, ranges are widened: the better row's begins as early as the worse one's, and the worse
    row's ends as late as the better one's.

    Args:
        means: float64[r].
        corrected: float64[r, r], of every pair.
    """
    differ, better = corrected < LEVEL, means[:, None] > means
    order = np.argsort(-means, kind="stable")
    first = 1 + (differ & better.T).sum(axis=1)[order]
    last = len(means) - (differ & better).sum(axis=1)[order]
    first = np.minimum.accumulate(first[::-1])[::-1]
    last = np.maximum.accumulate(last)
    found = [""] * len(means)
    for row, low, high in zip(order, first, last, strict=True):
        found[row] = str(low) if low == high else f"{low}–{high}"
    return found
