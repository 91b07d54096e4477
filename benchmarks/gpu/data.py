"""What the GPU is measured with: sizes, and the data that is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.splits.split import split

SEED = 0


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    copied: int
    """Bytes of a copy"""
    matrix: int
    """Side of the square matrices multiplied"""
    users: int
    items: int
    interactions: int
    """Of the synthetic data, where there is no Gowalla"""
    batches: tuple[int, ...]
    """Examples a step; the first is also what the quality is measured with"""
    timed_epochs: int
    epochs: int
    """After which the quality is measured"""
    aliec: float
    """Scale of aliec-sim"""
    queries: int
    catalog: int
    """Queries and items of the exact top-k"""
    excluded: int
    """Items that each query excludes"""


FULL = Sizes(2**32, 8192, 29_858, 40_981, 1_027_370, (512, 4096), 3, 10, 1.0, 491_647, 240_130, 20)
SMALL = Sizes(2**20, 128, 300, 200, 5_000, (64,), 1, 2, 0.002, 300, 400, 5)


def aliec(data_dir: Path, sizes: Sizes) -> Dataset:
    """Generated data of the shape of AliEC."""
    return load("aliec-sim", data_dir, scale=sizes.aliec)


def gowalla(data_dir: Path, sizes: Sizes) -> Dataset:
    """Gowalla where `data_dir` has it and it is not too large, else synthetic data of its shape."""
    if sizes.users == FULL.users and (data_dir / "gowalla" / "train.txt").is_file():
        return load("gowalla", data_dir)
    return split(_synthetic(sizes), "random", exclude_seen=True, split_seed=SEED)


def _synthetic(sizes: Sizes) -> Log:
    """Users and items of power-law frequency; four in five picks are from the user's group of items."""
    rng = np.random.default_rng(SEED)
    groups = max(2, sizes.items // 800)
    draws = 2 * sizes.interactions
    user = rng.choice(sizes.users, draws, p=_power_law(sizes.users))
    rank = rng.choice(sizes.items // groups, draws, p=_power_law(sizes.items // groups))
    picked = rank * groups + user % groups
    item = np.where(rng.random(draws) < 0.8, picked, rng.integers(sizes.items, size=draws))
    pairs = rng.permutation(np.unique(user * sizes.items + item))[: sizes.interactions]
    user, item = np.divmod(np.sort(pairs), sizes.items)
    return Log(
        name="synthetic",
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        user_ids=np.arange(sizes.users).astype(str).astype(object),
        item_ids=np.arange(sizes.items).astype(str).astype(object),
        ordered=False,
        title="synthetic data of Gowalla's shape",
        synthetic=True,
    )


def _power_law(n: int) -> np.ndarray:
    weight = np.arange(1, n + 1) ** -0.6
    return weight / weight.sum()
