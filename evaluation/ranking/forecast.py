"""How long a loop over items will take, by a timed sample of the loop itself: it holds on any processor."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.engines.local import LocalEngine
from retrieval_leaderboard.support import compute, progress

Rows = tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]]
Kernel = Callable[[npt.NDArray[np.int32], Rows], Any]
"""Called with some items and the users of all items"""

WORTH_SAYING = 60.0
"""Seconds from which a forecast is said"""
SLOWEST = 6e-8
"""Seconds that a unit of cost takes at most, on any processor"""
GROUPS, GROUP_SECONDS = 8, 0.02
"""Of items that cost about the same, and what each is timed for"""
FEWEST = 2
"""Items of a group that are timed"""


def loop_seconds(
    kernel: Kernel,
    users: Rows,
    costs: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    cut: int,
    power: int,
    calls: int,
) -> float:
    """Seconds of one thread that `kernel` takes for all items; 0 where that is not worth saying in any case.

    Some items of each group are timed, with some of their users where they are many.

    Args:
        kernel: the loop.
        users: rows of users, one an item, as (values, start, stop); of all users or of some.
        costs: float64[n_items] each, about what each item takes, in steps of the loop: with all users, and
            with those of `users`.
        cut: users of an item that its time is measured with.
        power: that of the number of users which an item's time grows by.
        calls: of the kernel for all items.
    """
    all_costs, row_costs = costs
    if all_costs.sum() * SLOWEST < WORTH_SAYING:
        return 0.0
    nobody = np.empty(0, np.int32)
    kernel(nobody, users)  # It may have to be compiled.
    one_call = min(_timed(kernel, nobody, users) for _ in range(3))
    lengths = users[2] - users[1]
    start, stop = users[1].copy(), users[2].copy()
    start += np.maximum(lengths - cut, 0) // 2
    np.minimum(stop, start + cut, out=stop)
    timed_costs = row_costs * np.minimum(cut / np.maximum(lengths, 1), 1.0) ** power
    loop = known = 0.0
    for group in _groups(np.where(timed_costs > 0, all_costs, 0.0)):
        some, taken = _sample(kernel, group, (users[0], start, stop), one_call)
        known += all_costs[group].sum()
        loop += all_costs[group].sum() * max(taken, 0.0) / timed_costs[some].sum()
    # Items that none of these users took are as the others.
    return float(calls * one_call + (loop * all_costs.sum() / known if known else 0.0))


def _groups(costs: npt.NDArray[np.float64]) -> list[npt.NDArray[np.int64]]:
    """The items that cost anything, each group about the same in all."""
    order = np.argsort(costs, kind="stable")[int((costs <= 0).sum()) :]
    if not len(order):
        return []
    ends = np.cumsum(costs[order])
    bounds = np.searchsorted(ends, ends[-1] * np.arange(1, GROUPS) / GROUPS)
    return [group for group in np.split(order, bounds) if len(group)]


def _sample(
    kernel: Kernel, group: npt.NDArray[np.int64], users: Rows, one_call: float
) -> tuple[npt.NDArray[np.int32], float]:
    """Items of a group, more and more until they take long enough, and their seconds."""
    drawn = np.random.default_rng(0).permutation(group).astype(np.int32)
    size = FEWEST
    while True:
        some = drawn[:size]
        seconds = _timed(kernel, some, users) - one_call
        if seconds > GROUP_SECONDS or size >= len(drawn):
            return some, seconds
        size *= 4


def _timed(kernel: Kernel, items: npt.NDArray[np.int32], users: Rows) -> float:
    begun = time.thread_time()
    kernel(items, users)
    return time.thread_time() - begun


def say(label: str, seconds: float, work: str) -> None:
    """Say how long `seconds` of one thread will take, where it is long and done by this process.

    Args:
        label: of what works.
        seconds: of one thread.
        work: that is done, with its amount, and what to do about it.
    """
    threads = compute.current().threads
    _say(label, seconds / threads, compute.in_words(threads), work)


def say_ranking(seconds: float, work: str) -> None:
    """Say how long ranking by vectors will take, where it is long: `seconds` of the accelerator that ranks,
    or of all threads together; `work` as of `say`.
    """
    device = compute.device()
    on = device.title if device.ranks else compute.in_words(compute.current().threads)
    _say("ranking", seconds, on, work)


def _say(label: str, seconds: float, on: str, work: str) -> None:
    if seconds > WORTH_SAYING and isinstance(engines.current(), LocalEngine):
        progress.say(f"{label}: about {progress.duration(seconds)} on {on} for {work}")
