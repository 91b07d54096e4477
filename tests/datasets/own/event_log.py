"""A log with events that are drawn by chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retrieval_leaderboard.datasets import Dataset

KINDS = ("view", "view", "view", "fav", "buy")


def rows(n: int = 600) -> list[tuple[int, int, int, str]]:
    """User, item, time and event of each."""
    drawn = np.random.default_rng(0).integers(0, 25, (n, 3))
    return [(int(u), int(i), 10**9 + 600 * at, KINDS[int(e) % 5]) for at, (u, i, e) in enumerate(drawn)]


def write(path: Path, header: str = "user,item,timestamp,event", lines: list | None = None) -> str:
    """`path`, to which `lines` below a header are written; by default those of `rows`."""
    body = rows() if lines is None else lines
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in body)]) + "\n")
    return str(path)


def weights(data: Dataset) -> dict[tuple[str, str], float]:
    """(user, item) → weight, of the training and validation part."""
    train = data.train_valid
    assert train.weight is not None
    names = data.user_ids[train.user], data.item_ids[train.item]
    return dict(zip(zip(*names, strict=True), train.weight.tolist(), strict=True))
