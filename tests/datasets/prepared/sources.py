"""Sources in chunks for tests: of numbers or text, with ties, repetitions and all that a row may have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from retrieval_leaderboard.datasets.chunks import Chunk, ChunkedLog
from retrieval_leaderboard.datasets.log import TEST, TRAIN


def source(
    rows: int = 3000,
    *,
    text: bool = False,
    timed: bool = True,
    nanoseconds: bool = False,
    rated: bool = False,
    split: bool = False,
    weighted: bool = False,
    targeted: bool = False,
    seed: int = 0,
    **about,
) -> ChunkedLog:
    """Few items and few times, so that pairs repeat and times tie; a chunk has 700 rows."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, 60, rows), (rng.random(rows) ** 2 * 90).astype(np.int64)
    user[: rows // 6] = 7  # One user has more rows than a part.
    columns = {"timestamp": 1_600_000_000 + rng.integers(0, 200, rows) if timed else None}
    if nanoseconds:
        columns["nanoseconds"] = rng.integers(0, 2, rows).astype(np.int32) * 500
    if rated:
        columns["rating"] = rng.integers(1, 6, rows).astype(np.float32)
    if weighted:
        columns["weight"] = rng.integers(1, 4, rows).astype(np.float32)
    if targeted:
        columns["target"] = rng.random(rows) < 0.5
    if split:
        columns["part"] = np.where(rng.random(rows) < 0.2, TEST, TRAIN).astype(np.uint8)
    spoken = {code: ["é", "z", "", "𝒜", "A "][code % 5] + str(code) for code in range(100)}

    def ids(codes: np.ndarray) -> np.ndarray | pa.Array:
        return pa.array([spoken[code] for code in codes.tolist()]) if text else codes * 37 - 900

    def chunks() -> Iterator[Chunk]:
        for start in range(0, rows, 700):
            at = slice(start, start + 700)
            given = {name: None if each is None else each[at] for name, each in columns.items()}
            yield Chunk(ids(user[at]), ids(item[at]), **given)

    return ChunkedLog("any", chunks, **about)
