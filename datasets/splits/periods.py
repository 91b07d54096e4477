"""The global timeline of a log: its moments, and where the validation and the test period begin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.support.errors import InputError


def moments(log: Log) -> npt.NDArray[np.int64]:
    """int64[n]: `Log.moment` of a log with times."""
    assert log.moment is not None
    return log.moment


def periods(log: Log) -> tuple[int, int]:
    """Moments at which the validation and the test period begin.

    They are the source's own, else where 80 % and 90 % of the interactions have passed.

    Raises:
        InputError: all times are equal.
    """
    found = moments(log)
    if found.min() == found.max():
        raise InputError(
            f"{log.name}, protocol 'time': all times are equal, so that none comes before the others; choose "
            "another protocol, such as random"
        )
    if log.periods is not None:
        return log.periods
    ordered = np.sort(found)
    return int(ordered[len(ordered) * 8 // 10]), int(ordered[len(ordered) * 9 // 10])
