"""How long a loop over items will take, by a timed sample of the loop itself: it holds on any processor."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.support import compute, progress

Rows = tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]]
Kernel = Callable[[int, int, Rows], Any]
"""Called with the first item of a block, the one after its last, and the users of all items"""

WORTH_SAYING = 60.0
"""Seconds from which a forecast is said"""
SAMPLE_SECONDS = 0.2
FEWEST, MOST = 8, 200
"""Items of a sample"""


def loop_seconds(
    kernel: Kernel, users: Rows, costs: npt.NDArray[np.float64], cut: npt.NDArray[np.int64], power: int
) -> float:
    """Seconds of one thread that `kernel` takes for all items, but for what a call costs without an item.

    Items are drawn by `costs`, and each is timed alone, with some of its users where they are many.

    Args:
        kernel: the loop.
        users: rows of users, one an item, as (values, start, stop).
        costs: float64[n_items], about what each item takes, in any unit.
        cut: int64[n_items]: users of each item that its time is measured with.
        power: that of the number of users which an item's time grows by.
    """
    if not costs.sum():
        return 0.0
    share = costs / costs.sum()
    begun, found = time.thread_time(), []
    for item in np.random.default_rng(0).choice(len(costs), MOST, p=share).tolist():
        found.append(_item_seconds(kernel, users, item, int(cut[item]), power) / share[item])
        if len(found) >= FEWEST and time.thread_time() - begun > SAMPLE_SECONDS:
            break
    return float(np.mean(found))


def call_seconds(kernel: Kernel, users: Rows) -> float:
    """Seconds of a call without an item: it makes room for all of them."""
    return _timed(kernel, 0, 0, users)


def _item_seconds(kernel: Kernel, users: Rows, item: int, cut: int, power: int) -> float:
    values, start, stop = users
    whole = int(stop[item] - start[item])
    if whole > cut:
        start, stop = start.copy(), stop.copy()
        start[item] += (whole - cut) // 2
        stop[item] = start[item] + cut
    seconds = _timed(kernel, item, item + 1, (values, start, stop)) - _timed(kernel, item, item, users)
    return max(seconds, 0.0) * max(whole / max(cut, 1), 1.0) ** power


def _timed(kernel: Kernel, first: int, last: int, users: Rows) -> float:
    begun = time.thread_time()
    kernel(first, last, users)
    return time.thread_time() - begun


def say(label: str, seconds: float, work: str) -> None:
    """Say how long `seconds` of one thread will take, where it is long.

    Args:
        label: of what works.
        seconds: of one thread.
        work: that is done, with its amount, and what to do about it.
    """
    threads = compute.current().threads
    if seconds / threads > WORTH_SAYING:
        about = f"about {progress.duration(seconds / threads)} on {threads} threads"
        progress.say(f"{label}: {about} for {work}")
