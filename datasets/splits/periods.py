"""The global timeline of a log: its moments, and where the validation and the test period begin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.support.errors import InputError

BINS = 2**16


def moments(log: Log) -> npt.NDArray[np.int64]:
    """int64[n]: `Log.moment` of a log with times."""
    assert log.moment is not None
    return log.moment


def span(log: Log) -> tuple[int, int]:
    """The first and the last moment."""
    ends = [(int(found.min()), int(found.max())) for found in map(moments, log.parts())]
    return min(first for first, _ in ends), max(last for _, last in ends)


def periods(log: Log) -> tuple[int, int]:
    """Moments at which the validation and the test period begin.

    They are the source's own, else where 80 % and 90 % of the interactions have passed.

    Raises:
        InputError: all times are equal.
    """
    ends = span(log)
    if ends[0] == ends[1]:
        raise InputError(
            f"{log.name}, protocol 'time': all times are equal, so that none comes before the others; choose "
            "another protocol, such as random"
        )
    if log.periods is not None:
        return log.periods
    rows = len(log.user)
    return _in_order(log, rows * 8 // 10, *ends), _in_order(log, rows * 9 // 10, *ends)


def _in_order(log: Log, place: int, low: int, high: int) -> int:
    """The moment at `place` of the sorted moments, which lie from `low` to `high`: by counting, unsorted."""
    while low < high:
        width = (high - low) // BINS + 1
        inside = np.zeros(BINS, dtype=np.int64)
        for found in map(moments, log.parts()):
            found = found[(found >= low) & (found <= high)]
            # The difference of two int64 may need 64 bits.
            bins = (found.astype(np.uint64) - np.uint64(low % 2**64)) // np.uint64(width)
            inside += np.bincount(bins.astype(np.int64), minlength=BINS)
        passed = np.cumsum(inside)
        at = int(np.searchsorted(passed, place, side="right"))
        place -= int(passed[at - 1]) if at else 0
        low += at * width
        high = min(high, low + width - 1)
    return low
