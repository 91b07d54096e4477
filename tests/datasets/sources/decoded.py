"""Logs with their raw ids, and features as raw values: what tests of readers compare."""

from __future__ import annotations

import numpy as np

from retrieval_leaderboard.datasets import Features
from retrieval_leaderboard.datasets.features import Multivalued
from retrieval_leaderboard.datasets.log import Log


def pairs(log: Log, part: int | None = None) -> list[tuple[str, str]]:
    """User and item of each row, of one part where it is given."""
    rows = np.arange(len(log.user)) if part is None else np.flatnonzero(log.part == part)
    return [(log.user_ids[log.user[row]], log.item_ids[log.item[row]]) for row in rows]


def timed(log: Log) -> list[tuple[str, str, int]]:
    """User, item and time of each row."""
    assert log.timestamp is not None
    return [(*pair, int(time)) for pair, time in zip(pairs(log), log.timestamp, strict=True)]


def values(features: Features | None, column: str, ids: np.ndarray) -> dict[str, str | list[str]]:
    """id → what a column says of it."""
    assert features is not None
    found = features[column]
    words = found.vocabulary
    if isinstance(found, Multivalued):
        return {each: [words[code] for code in found.codes[row]] for row, each in enumerate(ids)}
    return {each: words[found.codes[row]] for row, each in enumerate(ids)}
