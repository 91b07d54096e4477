"""Files of a known dataset and of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

TRAIN = "\n".join(" ".join(map(str, [user, *range(user, user + 10)])) for user in range(8))


def write_lightgcn(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text(TRAIN)
    (folder / "test.txt").write_text("0 12 13\n1 0\n")


def write_log(path: Path, timed: bool = True) -> Path:
    rng = np.random.default_rng(0)
    lines = [f"u{user},i{item}" + f",{when}" * timed for user, item, when in rng.integers(0, 20, (300, 3))]
    path.write_text("user,item" + ",timestamp" * timed + "\n" + "\n".join(lines) + "\n")
    return path
