"""Which of each user's rows are held out: drawn one by one, or one contiguous block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.ragged import offsets_of

DRAW, BLOCK, AS_TEST = "draw", "block", "as-test"
CARVES = {DRAW: "rows one by one", AS_TEST: "one block where the source's test rows are contiguous"}
"""What protocol published can be asked for, in words; `AS_TEST` comes to `BLOCK` or `DRAW`"""
ASKED = {DRAW: DRAW, BLOCK: AS_TEST}
"""How validation was carved → the key of `CARVES` that asks for it"""
IN_WORDS = {DRAW: "validation drawn", AS_TEST: "validation in blocks"}
"""Key of `CARVES` → how headings have it, where it is not the dataset's usual one"""


def draw(
    user: npt.NDArray[np.int32], percent: int, rng: np.random.Generator, first_user: int = 0
) -> npt.NDArray[np.bool_]:
    """bool[n]: `percent` of each user's rows, rounded; `user` is ascending.

    A tenth is nothing for a user of fewer than five rows; a fifth is nothing for one of fewer than three.
    `first_user` is what codes lack where they are a part's.
    """
    lengths = np.bincount(user)
    # Within each user; the number of the user says how far a float is exact.
    shuffled = np.argsort((user + first_user) + rng.random(len(user)), kind="stable")
    drawn = np.zeros(len(user), dtype=bool)
    drawn[shuffled[_rank(user, lengths) < _rounded(lengths, percent)[user]]] = True
    return drawn


def contiguous_block(
    user: npt.NDArray[np.int32], percent: int, rng: np.random.Generator, first_user: int = 0
) -> npt.NDArray[np.bool_]:
    """Like `draw`, but neighbors: those from a drawn row of each user on, the first following the last."""
    lengths = np.bincount(user)
    first = (rng.random(len(lengths)) * lengths).astype(np.int64)  # (users,)
    after = (_rank(user, lengths) - first[user]) % lengths[user]
    drawn: npt.NDArray[np.bool_] = after < _rounded(lengths, percent)[user]
    return drawn


def _rank(user: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[n]: the place of each row among its user's."""
    return np.arange(len(user)) - offsets_of(lengths)[user]


def _rounded(lengths: npt.NDArray[np.int64], percent: int) -> npt.NDArray[np.int64]:
    return (lengths * percent + 50) // 100


def is_contiguous(
    user: npt.NDArray[np.int32], item: npt.NDArray[np.int32], held: npt.NDArray[np.bool_]
) -> bool:
    """Whether neighboring rows of a user are both `held` clearly more often than in a random draw.

    A draw of k among n rows has k (k - 1) / n such neighbors on average. The counts of users are
    independent and their variances are below that average for k < n / 2, so that 6 times its root
    is beyond chance; a safety margin of 10 % comes on top of it.

    Only rows of items that an earlier user has in train count. Where ids are given by first appearance
    in train, those that a user brings in are neighbors and all train, and those that later users bring
    in are neighbors and all test, however the rows were drawn; which items earlier users have in train
    says nothing of a user's own draw.

    Args:
        user: int32[n], ascending.
        item: int32[n], ascending within a user.
        held: bool[n].
    """
    first = np.full(int(item.max(initial=-1)) + 1, np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(first, item[~held], user[~held])
    known = first[item] < user
    user, held = user[known], held[known]
    n = np.bincount(user)
    k = np.bincount(user, weights=held)
    by_chance = float((k * (k - 1) / np.maximum(n, 1)).sum())
    together = int((held[1:] & held[:-1] & (user[1:] == user[:-1])).sum())
    return together > 1.1 * by_chance + 6 * by_chance**0.5
