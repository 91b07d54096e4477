"""Bootstrapped means over queries, of many columns at once, with the spread of a row's seeds added.

Queries are resampled by Poisson counts: query q stands w_bq ~ Poisson(1) times in sample b, and its mean is
T_b = Σ_q w_bq m_q / Σ_q w_bq (Hanley & MacGibbon 2006; Chamandy et al. 2012). All columns share the
counts, so the difference of two of them is a paired bootstrap. Counts are drawn block by block: memory
does not grow with the number of queries.

Seeds are the other source of chance. A row's mean is over n queries × s seeds, two crossed random effects;
drawing both independently of each other and adding them errs on the safe side (Owen 2007). Five seeds are
too few to resample: their resampled mean spreads too little. Their part is drawn from the distribution
that the mean of s normal values has: Student's t with s − 1 degrees of freedom, times sd / √s.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.evaluation.statistics.standing import Interval

Floats = npt.NDArray[np.float64]
DRAWS = 2000
SEED = 0
CONFIDENCE = 0.95
BLOCK = 2**11
"""Queries whose counts are drawn together"""
_LEVELS = 2**16


def _poisson_table() -> npt.NDArray[np.float32]:
    """float32[65536]: quantiles of Poisson(1) at the middles of equal steps; a look-up is a draw."""
    cumulative = np.cumsum([math.exp(-1) / math.factorial(count) for count in range(10)])
    return np.searchsorted(cumulative, (np.arange(_LEVELS) + 0.5) / _LEVELS).astype(np.float32)


class _Columns:
    """Equal where the content is: pages of one command ask for the same samples again and again."""

    def __init__(self, columns: Sequence[npt.NDArray[np.floating]]) -> None:
        self.columns = columns
        digest = hashlib.blake2b()
        for column in columns:
            digest.update(np.ascontiguousarray(column).tobytes())
            digest.update(column.dtype.str.encode())
        self.content = digest.digest()

    def __hash__(self) -> int:
        return hash(self.content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Columns) and self.content == other.content


def query_part(columns: Sequence[npt.NDArray[np.floating]], draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Means of resampled queries minus the mean of all.

    Args:
        columns: c arrays of q numbers, without NaN.
        draws: how many samples.
        seed: of the counts; the same for columns that are compared.

    Returns:
        float64[draws, c], not to be written to.
    """
    return _query_part(_Columns(columns), draws, seed)


@lru_cache(maxsize=64)
def _query_part(given: _Columns, draws: int, seed: int) -> Floats:
    columns = given.columns
    rng, table = np.random.default_rng(seed), _poisson_table()
    centers = means(columns).astype(np.float32)
    sums, counts = np.zeros((draws, len(columns))), np.zeros((draws, 1))
    for start in range(0, len(columns[0]), BLOCK):
        block = np.stack([column[start : start + BLOCK] for column in columns]).T - centers
        weights = table[rng.integers(0, _LEVELS, (draws, len(block)), dtype=np.uint16)]
        sums += weights @ block
        counts += weights.sum(axis=1, keepdims=True)
    given.columns = ()  # The cache keeps what was given, of which the digest alone is asked for again.
    found: Floats = sums / np.maximum(counts, 1.0)
    found.flags.writeable = False
    return found


def means(columns: Sequence[npt.NDArray[np.floating]]) -> Floats:
    """float64[c]: of each of c columns."""
    return np.array([np.mean(column, dtype=np.float64) for column in columns])


def seed_part(values: Sequence[float], name: str, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """What the choice of seeds adds to a row's mean: float64[draws], zeros for fewer than two.

    Args:
        values: the mean of each of the row's runs.
        name: of the row. What is drawn depends on it and `seed`, and so on no other row.
        draws: how many samples.
        seed: of the draws.
    """
    runs = len(values)
    if runs < 2:
        return np.zeros(draws)
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    drawn: Floats = rng.standard_t(runs - 1, draws) * (np.std(values, ddof=1) / np.sqrt(runs))
    return drawn


def interval(mean: float, deviations: Floats) -> Interval:
    """The percentile interval of `mean` (Efron & Tibshirani 1993), from float64[draws] deviations from it."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(deviations, [tail, 1 - tail])
    return Interval(mean, mean + float(low), mean + float(high))
